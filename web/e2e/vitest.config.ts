import { defineConfig } from "vitest/config";

/** One file after another: they share one system, and two cores. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "src/system.ts",
    fileParallelism: false,
    testTimeout: 40_000,
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 120_000,
  },
});
