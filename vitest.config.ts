import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  // The guide's examples import the package by its name, as a project does that has it installed.
  resolve: { alias: [{ find: /^sluice$/, replacement: fileURLToPath(new URL("src/index.ts", import.meta.url)) }] },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/fixtures/temp-root.ts",
    testTimeout: 30_000,
    // Decoders and the store use threads of their own; two test files at a time keep two cores busy.
    maxWorkers: 2,
  },
})
