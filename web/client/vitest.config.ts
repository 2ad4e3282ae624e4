import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const test = {
  include: ["test/**/*.test.{ts,tsx}"],
  setupFiles: ["test/support/setup.ts"],
  maxWorkers: 2,
};

/** The tests that see the client from outside, on what runs in a page, with its names shortened. */
function bundle(name: string, file: string, tests: string[]) {
  const dist = fileURLToPath(new URL(`dist/${file}`, import.meta.url));
  return {
    test: { ...test, name, include: tests.map((name) => `test/${name}.test.ts`) },
    resolve: { alias: [{ find: /^.*\/src\/index\.js$/, replacement: dist }] },
  };
}

const OUTSIDE = ["economy", "faults", "page", "receive", "rotation", "session", "tabs", "trouble"];

export default defineConfig({
  test: {
    globalSetup: ["test/support/bundle.ts"],
    projects: [
      { test: { ...test, name: "source" } },
      bundle("development", "index.js", [...OUTSIDE, "checks"]),
      bundle("production", "index.production.js", OUTSIDE),
    ],
  },
});
