import { defineConfig } from "rolldown";

/** One minified file per entry; the hook imports the client, so a page never loads it twice. */
export default defineConfig({
  input: { index: "src/index.ts", react: "src/react.ts" },
  external: ["react", "./index.js"],
  output: { dir: "dist", format: "esm", minify: true, sourcemap: true, cleanDir: true },
});
