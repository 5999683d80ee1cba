import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/fixtures/temp-root.ts",
    testTimeout: 30_000,
    // Decoders and the store use threads of their own; two test files at a time keep two cores busy.
    maxWorkers: 2,
  },
})
