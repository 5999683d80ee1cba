/** A child process inside a decoder that never returns ends when its parent is killed. */
import { spawn } from "node:child_process"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const statOf = (pid: string): string[] => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
}

const childrenOf = (parent: number): string[] =>
  readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && statOf(pid)[1] === String(parent)
    } catch {
      return false
    }
  })

/** Processor time that it has used, in hundredths of a second: one that spins uses nearly all there is. */
const ticks = (pid: string): number => Number(statOf(pid)[11])

const isAlive = (pid: string): boolean => existsSync(`/proc/${pid}`) && statOf(pid)[0] !== "Z"

const until = async (condition: () => boolean, what: string): Promise<void> => {
  for (let i = 0; i < 200; i++) {
    if (condition()) return
    await sleep(100)
  }
  throw new Error(`not reached within 20 s: ${what}`)
}

it("leaves no process behind", { timeout: 60_000 }, async ({ skip }) => {
  if (!existsSync("/proc/self/stat")) {
    console.warn("SKIPPED: without /proc, children cannot be told")
    return skip()
  }
  const parent = spawn(process.execPath, [fileURLToPath(new URL("./spin-child.ts", import.meta.url))], {
    stdio: "ignore",
  })
  let child = ""
  await until(() => {
    child = childrenOf(parent.pid ?? 0)[0] ?? ""
    return child !== "" && ticks(child) > 100
  }, "a child that spins")
  parent.kill("SIGKILL")
  await until(() => !isAlive(child), "the end of the child")
  expect(isAlive(child)).toBe(false)
})
