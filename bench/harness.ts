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

/** What a process of its own took. */
export interface Measured {
  /** From its start to its end. */
  readonly seconds: number
  /** The peak of it and of all below it, in MiB. */
  readonly memory: number
  /** What it printed. */
  readonly output: string
}

/** Runs Node with the arguments, and looks at its memory every so many milliseconds. */
export const measureNode = (args: readonly string[], every = 100): Promise<Measured> =>
  new Promise((resolve, reject) => {
    const started = performance.now()
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
    let memory = 0
    let output = ""
    const timer = setInterval(() => {
      if (child.pid) memory = Math.max(memory, treeMemory(child.pid))
    }, every)
    child.stdout.on("data", (chunk) => (output += chunk))
    child.on("error", reject)
    child.on("close", (code) => {
      clearInterval(timer)
      if (code !== 0) reject(new Error(`${args.join(" ")} failed (exit ${code}): ${output}`))
      else resolve({ seconds: (performance.now() - started) / 1000, memory, output })
    })
  })

/** Calls what a module of the bench exports, in a process of its own. The arguments are plain data; it prints the result. */
export const measureCall = (module: string, name: string, args: readonly unknown[]): Promise<Measured> => {
  const code = `import { ${name} } from ${JSON.stringify(new URL(module, import.meta.url).href)}
console.log(await ${name}(...${JSON.stringify(args)}))`
  return measureNode(["--input-type=module", "--eval", code])
}

/** Calls `use` with an empty folder that is gone afterwards. */
export const withOutput = async <T>(use: (output: string) => Promise<T>): Promise<T> => {
  const output = mkdtempSync(join(tmpdir(), "sluice-bench-out-"))
  try {
    return await use(output)
  } finally {
    rmSync(output, { recursive: true, force: true })
  }
}

/** One run of one variant: seconds of its work, and the peak of its memory. */
export const runOnce = (
  question: string,
  variant: string,
  input: string,
): Promise<Pick<Measured, "seconds" | "memory">> =>
  withOutput(async (folder) => {
    const { memory, output } = await measureNode([one, question, variant, input, folder], 200)
    const seconds = Number(/^seconds (.+)$/m.exec(output)?.[1])
    if (!Number.isFinite(seconds)) throw new Error(`${question}/${variant} printed no seconds: ${output}`)
    return { seconds, memory }
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
