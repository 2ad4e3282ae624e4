import { defineConfig } from "rolldown";

/** Notes for tree-shaking, which the page would load. */
const withoutNotes = {
  name: "without-notes",
  renderChunk: (code) => ({ code: code.replaceAll("/* @__PURE__ */ ", ""), map: null }),
};

/** One minified file per entry; the entries import the client, so that a page never loads it twice. */
export default defineConfig({
  input: {
    index: "src/index.ts",
    economy: "src/economy.ts",
    react: "src/react.ts",
  },
  external: ["react", "./index.js"],
  plugins: [withoutNotes],
  output: { dir: "dist", format: "esm", minify: true, sourcemap: true, cleanDir: true },
});
