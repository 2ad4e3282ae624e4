import { defineConfig } from "rolldown";

/** What `package.json` exports beside the client itself. */
const OPTIONAL = ["economy", "inbox", "order", "debug", "react", "vue", "svelte"];

/**
 * Properties of the client's own objects, which are shortened. None may be one that an application, another tab, SQS or
 * the browser sees: the tests run on the result as well.
 */
const INTERNAL = `
  adopt back beat clock clockWasOff continuity deliver emit emitter end fail failures finish flush free
  giveAllBack giveBack gone handle handling hello hurry isSpreading isTelling keeper lacksKey leading leave life
  needsSession noQueue note observe others pause queue queues receive refused restart retry run running say send
  settings settle share signBatch sleep span sqs start stop take takesMessages undone unreadBy unreadable until
  waitingFor wake watch woken worked
`;

/** @typedef {import("rolldown").RolldownOptions & { output: import("rolldown").OutputOptions }} Build */

/** @type {import("rolldown").OutputOptions} */
const output = { dir: "dist", format: "esm", comments: false, sourcemap: false };

/** @type {Build} */
export const development = {
  input: { index: "src/index.ts" },
  output: {
    ...output,
    minify: {
      compress: true,
      mangle: true,
      codegen: true,
      mangleProps: { include: new RegExp(`^(${INTERNAL.trim().split(/\s+/).join("|")})$`) },
    },
  },
};

/**
 * The same without the checks of what an application passes. Bundlers take it by the condition `production`.
 * @type {Build}
 */
export const production = {
  ...development,
  input: { "index.production": "src/index.ts" },
  treeshake: { manualPureFunctions: ["checkOptions", "checkEvent"] },
};

/**
 * One file per entry. They import the client by the package's name, so that a page loads it once, and the one that
 * its bundler has chosen.
 * @type {Build}
 */
const optional = {
  input: Object.fromEntries(OPTIONAL.map((name) => [name, `src/${name}.ts`])),
  external: ["react", "vue"],
  plugins: [
    {
      name: "client",
      resolveId: (id) => (id === "./index.js" ? { id: "sqs-browser-events", external: true } : null),
    },
  ],
  output: {
    ...output,
    minify: true,
    // Hooks run in the browser only, also where React renders on a server.
    postBanner: ({ name }) => (name === "react" ? '"use client";' : ""),
  },
};

export default defineConfig([
  { ...development, output: { ...development.output, cleanDir: true } },
  production,
  optional,
]);
