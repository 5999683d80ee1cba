/**
 * Runs the variants of a question side by side, each in a process of its own, in turn, and prints the ratios of the
 * medians. A variant's clock starts after its imports; the peak is that of the whole process tree.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Question {
  /** What is asked, in a line. */
  readonly title: string
  /** Makes the input below `folder`, once for all runs. */
  readonly prepare: (folder: string) => Promise<void>
  /** What to time. `sluice` is ours; each gets the input and an empty folder for its output. */
  readonly variants: Readonly<Record<string, (input: string, output: string) => Promise<unknown>>>
  /** Speed of `sluice` against a variant that is to be reached: 0.9 is nine tenths of its speed. */
  readonly goals: Readonly<Record<string, number>>
}

export interface Figures {
  readonly seconds: readonly number[]
  /** Peak of the process tree, in MiB. */
  readonly memory: readonly number[]
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const one = fileURLToPath(new URL("./one.ts", import.meta.url))

/** Memory of one process in MiB, with its part of what it shares. */
const sharedMemory = (pid: number): number => {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1] ?? 0) / 1024
  } catch {
    // The process ended while the list was read.
    return 0
  }
}

/** Memory of a process and all below it, in MiB; pages that several of them share count once (`Pss`, proc(5)). */
export const treeMemory = (root: number): number => {
  const parents = new Map<number, number>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8")
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      parents.set(Number(name), Number(fields[1]))
    } catch {
      // The process ended while the list was read.
    }
  }
  const inTree = (pid: number | undefined): boolean => pid !== undefined && (pid === root || inTree(parents.get(pid)))
  return [...parents.keys()].reduce((sum, pid) => (inTree(pid) ? sum + sharedMemory(pid) : sum), 0)
}

/** One run of one variant: seconds of its work, and the peak of its memory. */
export const runOnce = (
  question: string,
  variant: string,
  input: string,
): Promise<{ seconds: number; memory: number }> =>
  new Promise((resolve, reject) => {
    const output = mkdtempSync(join(tmpdir(), "sluice-bench-out-"))
    const child = spawn(process.execPath, [one, question, variant, input, output], {
      stdio: ["ignore", "pipe", "inherit"],
    })
    let memory = 0
    let text = ""
    const timer = setInterval(() => {
      if (child.pid) memory = Math.max(memory, treeMemory(child.pid))
    }, 200)
    child.stdout.on("data", (chunk) => (text += chunk))
    child.on("close", (code) => {
      clearInterval(timer)
      rmSync(output, { recursive: true, force: true })
      const seconds = Number(/^seconds (.+)$/m.exec(text)?.[1])
      if (code !== 0 || !Number.isFinite(seconds))
        reject(new Error(`${question}/${variant} failed (exit ${code}): ${text}`))
      else resolve({ seconds, memory })
    })
  })

/** All variants in turn, `runs` times, after one run that does not count. */
export const compare = async (
  question: string,
  variants: readonly string[],
  input: string,
  runs: number,
): Promise<Readonly<Record<string, Figures>>> => {
  const figures: Record<string, { seconds: number[]; memory: number[] }> = {}
  for (let round = 0; round <= runs; round++) {
    for (const variant of variants) {
      const { seconds, memory } = await runOnce(question, variant, input)
      if (round === 0) continue
      figures[variant] ??= { seconds: [], memory: [] }
      const own = figures[variant]
      own.seconds.push(seconds)
      own.memory.push(memory)
    }
  }
  return figures
}
