import { minify } from "@swc/core";
import { defineConfig } from "rolldown";

/** What `package.json` exports beside the client itself. */
const OPTIONAL = ["economy", "inbox", "iterate", "order", "debug", "react", "vue", "svelte"];

/**
 * Properties of the client's own objects, which are shortened. None may be one that an application, another tab, SQS or
 * the browser sees: the tests run on the result as well.
 */
const INTERNAL = `
  adopt answer beat changes clock clockWasOff continuity deliver doubt emit emitter end ends fail failures finished flush
  giveAllBack giveBack gone handle handling hello holds hurry isSpreading isTelling keeper leading life needsSession
  noQueue note observe others over pause prepare queue receive refused renew restart retry run running say send settings
  settle share signBatch sleep span sqs start stop take takesMessages unreadable unreadBy until unwatch waitingFor
  wake watch woken worked
`;

/** @type {import("@swc/core").JsMinifyOptions} */
const AGAIN = {
  module: true,
  ecma: 2022,
  compress: { passes: 3, pure_getters: true, sequences: false },
  mangle: true,
  format: { ecma: 2022 },
};

/** @typedef {import("rolldown").RolldownOptions & { output: import("rolldown").OutputOptions }} Build */

/** @type {import("rolldown").OutputOptions} */
const output = { dir: "dist", format: "esm", comments: false, sourcemap: false };

/**
 * Minifies once more what rolldown has minified, which takes 1 % off.
 * @type {import("rolldown").Plugin}
 */
const again = {
  name: "again",
  async generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type === "chunk") chunk.code = (await minify(chunk.code, AGAIN)).code;
    }
  },
};

/** @type {Build} */
export const client = {
  input: { index: "src/index.ts" },
  plugins: [again],
  output: {
    ...output,
    minify: {
      compress: { treeshake: { propertyReadSideEffects: false } },
      mangle: true,
      codegen: true,
      mangleProps: { include: new RegExp(`^(${INTERNAL.trim().split(/\s+/).join("|")})$`) },
    },
  },
};

/**
 * One file per entry. They import the client by the package's name, so that a page loads it once.
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

export default defineConfig([{ ...client, output: { ...client.output, cleanDir: true } }, optional]);
