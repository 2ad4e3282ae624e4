import { defineConfig } from "vitest/config";

/**
 * One file after another: they share one system, and two cores. What is waited for comes within moments; the times are for
 * machines that are busy with something else.
 */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "src/system.ts",
    fileParallelism: false,
    testTimeout: 150_000,
    expect: { poll: { timeout: 40_000 } },
    hookTimeout: 120_000,
  },
});
