import { compile } from "svelte/compiler";
import { defineConfig } from "vite";

const svelte = {
  name: "svelte",
  /** @param {string} code @param {string} id */
  transform: (code, id) => (id.endsWith(".svelte") ? compile(code, { filename: id }).js : undefined),
};

export default defineConfig({
  plugins: [svelte],
  build: { target: "es2022", rolldownOptions: { input: ["index.html", "page.html"] } },
});
