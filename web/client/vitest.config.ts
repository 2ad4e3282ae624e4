import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const BUNDLE = fileURLToPath(new URL("dist/index.js", import.meta.url));
const test = {
  include: ["test/**/*.test.{ts,tsx}"],
  setupFiles: ["test/support/setup.ts"],
  maxWorkers: 2,
};

export default defineConfig({
  test: {
    projects: [
      { test: { ...test, name: "source" } },
      {
        // What runs in a page, with its names shortened.
        test: {
          ...test,
          name: "bundle",
          include: ["economy", "page", "receive", "rotation", "session", "tabs", "trouble"].map(
            (name) => `test/${name}.test.ts`,
          ),
          globalSetup: ["test/support/bundle.ts"],
        },
        resolve: { alias: [{ find: /^.*\/src\/index\.js$/, replacement: BUNDLE }] },
      },
    ],
  },
});
