import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["e2e/**/*.test.ts"],
    globalSetup: "e2e/server.ts",
    // One browser at a time: two cores are enough for one Chromium.
    fileParallelism: false,
    // Generous: a busy machine is no failure. Nothing here waits longer than it must.
    testTimeout: 240_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
