import { defineConfig } from "vitest/config";

/** Scenarios that take minutes: they are run by name, and print a table. */
export default defineConfig({
  test: {
    include: ["scenarios/**/*.ts"],
    globalSetup: "src/system.ts",
    fileParallelism: false,
    // Those that mostly wait do so together.
    maxConcurrency: 10,
    testTimeout: 3_600_000,
    expect: { poll: { timeout: 40_000 } },
    hookTimeout: 120_000,
    disableConsoleIntercept: true,
  },
});
