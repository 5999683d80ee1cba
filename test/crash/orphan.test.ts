/** A child process inside a decoder that never returns ends when its parent is killed. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"
import { childrenOf, hasProc, isAlive, reached, ticks } from "../fixtures/processes.ts"

it("leaves no process behind", { timeout: 60_000 }, async ({ skip }) => {
  if (!hasProc) {
    console.warn("SKIPPED: without /proc, children cannot be told")
    return skip()
  }
  const parent = spawn(process.execPath, [fileURLToPath(new URL("./spin-child.ts", import.meta.url))], {
    stdio: "ignore",
  })
  let child = ""
  await reached(() => {
    child = childrenOf(parent.pid ?? 0)[0] ?? ""
    return child !== "" && ticks(child) > 100
  }, "a child that spins")
  parent.kill("SIGKILL")
  await reached(() => !isAlive(child), "the end of the child")
  expect(isAlive(child)).toBe(false)
})
