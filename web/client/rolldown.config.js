import { defineConfig } from "rolldown";

/** What `package.json` exports. */
export const ENTRIES = ["index", "economy", "inbox", "order", "debug", "react", "vue", "svelte"];

/** One minified file per entry; the entries import the client, so that a page never loads it twice. */
export default defineConfig({
  input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
  external: ["react", "vue", "./index.js"],
  output: {
    dir: "dist",
    format: "esm",
    minify: true,
    sourcemap: false,
    cleanDir: true,
    // Hooks run in the browser only, also where React renders on a server.
    postBanner: ({ name }) => (name === "react" ? '"use client";' : ""),
  },
});
