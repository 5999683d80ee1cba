#!/usr/bin/env node
/** The command line. Only here is the environment read, and only here does the process end. */
import { boundMemory } from "./allocator.ts"
import { say } from "./console.ts"
import { exitCodeOf } from "./failure.ts"
import { checkNode } from "./package.ts"
import { createProgram } from "./program.ts"

if (["run", "ingest", "serve"].includes(process.argv[2] ?? "")) boundMemory()

// A reader that has seen enough (`sluice search ... | head`) is no failure; what was begun is finished.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") return
  say(`sluice: standard output cannot be written: ${error.message}`)
  process.exitCode = 1
})
// There is nowhere left to say that nobody listens.
process.stderr.on("error", () => {})

try {
  checkNode()
  await createProgram(process.env, (code) => {
    process.exitCode ||= code
  }).parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}
