import { defineConfig } from "rolldown";

/** What `package.json` exports beside the client itself. */
const OPTIONAL = ["economy", "inbox", "order", "debug", "react", "vue", "svelte"];

/**
 * Properties of the client's own objects, which are shortened. None may be one that an application, another tab, SQS or
 * the browser sees: the tests run on the result as well.
 */
const INTERNAL = `
  added adopt back beat bring clock clockWasOff continuity deliver disturbed emit emitter fail failed failures
  finish flush follow free freezing giveAllBack giveBack group handle handling heardAt hurry isSpreading
  isTelling keeper lacksKey leading needsSession network noQueue note observe queues receiptHandle
  receive received refused restart resting retry retrying run running say setState settings settle share
  signBatch sleep span sqs tabs take takesMessages thawed undone unreadBy unreadable until visible
  waitingFor watch worked
`;

/** @type {import("rolldown").OutputOptions} */
const output = { dir: "dist", format: "esm", comments: false, sourcemap: false };
/** @param {string[]} entries */
const names = (entries) => Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`]));

/** @type {import("rolldown").RolldownOptions & { output: import("rolldown").OutputOptions }} */
export const client = {
  input: names(["index"]),
  output: {
    ...output,
    minify: {
      compress: true,
      mangle: true,
      codegen: true,
      mangleProps: { include: new RegExp(`^(${INTERNAL.trim().split(/\s+/).join("|")})$`) },
    },
    cleanDir: true,
  },
};

/** One minified file per entry; the others import the client, so that a page never loads it twice. */
export default defineConfig([
  client,
  {
    input: names(OPTIONAL),
    external: ["react", "vue", "./index.js"],
    output: {
      ...output,
      minify: true,
      // Hooks run in the browser only, also where React renders on a server.
      postBanner: ({ name }) => (name === "react" ? '"use client";' : ""),
    },
  },
]);
