import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const test = {
  include: ["test/**/*.test.{ts,tsx}"],
  setupFiles: ["test/support/setup.ts"],
  maxWorkers: 2,
  // They compute and wait for nothing: a busy machine is all that takes long.
  testTimeout: 60_000,
};

/** The tests that see the client from outside, on what runs in a page, with its names shortened. */
const OUTSIDE = [
  "economy",
  "endings",
  "faults",
  "inbox",
  "leases",
  "mishaps",
  "misuse",
  "page",
  "receive",
  "rotation",
  "session",
  "tabs",
  "trouble",
];
const dist = fileURLToPath(new URL("dist/index.js", import.meta.url));

export default defineConfig({
  test: {
    globalSetup: ["test/support/bundle.ts"],
    projects: [
      { test: { ...test, name: "source" } },
      {
        test: { ...test, name: "bundle", include: OUTSIDE.map((name) => `test/${name}.test.ts`) },
        resolve: { alias: [{ find: /^.*\/src\/index\.js$/, replacement: dist }] },
      },
    ],
  },
});
