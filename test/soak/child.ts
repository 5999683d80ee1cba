/**
 * Runs a pipeline again and again, with parts that fail, until it is told to stop: `child.ts JSON`. Prints what the
 * process takes after each run, one line of JSON.
 */
import { readdirSync } from "node:fs"
import { FatalError, messageOf } from "../../src/model/errors.ts"
import { filesPlan, start } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { files } from "../../src/sources/files.ts"
import { faulty } from "../../src/testing/index.ts"
import { changeFolder } from "./inputs.ts"

export interface SoakTask {
  readonly folder: string
  readonly uri: string
  readonly seed: number
  /** Milliseconds of faults; 0 for one run without any. */
  readonly duration: number
}

export interface Sample {
  readonly runs: number
  readonly failed: number
  readonly rss: number
  readonly fds: number
  readonly threads: number
}

const { folder, uri, seed, duration }: SoakTask = JSON.parse(process.argv[2] ?? "{}")

/** Milliseconds; what hangs costs as much. */
const TIMEOUT = 700

const plan = filesPlan(
  { name: "soak", source: files({ include: folder }), sink: lance({ uri, table: "t", index: ["text"] }) },
  {
    mode: "sync",
    maxDeleteRatio: 1,
    failed: "retry",
    flushEvery: 10,
    commitEvery: 40,
    errors: { max: 1000 },
    workers: { threads: 2, timeout: TIMEOUT },
    shutdownTimeout: 1000,
  },
)

const faultyPlan = (run: number) =>
  faulty(plan, {
    seed: seed * 10_000 + run,
    source: { fail: 0.005, unreadable: 0.02, delay: 1 },
    normalizer: { fail: 0.04, partial: 0.02, die: 0.01, hang: 0.01, spin: 0.01, delay: 2 },
    sink: { fail: 0.01, lostReply: 0.01, delay: 2 },
  })

const sample = (runs: number, failed: number): Sample => ({
  runs,
  failed,
  rss: process.memoryUsage.rss(),
  fds: readdirSync("/proc/self/fd").length,
  threads: readdirSync("/proc/self/task").length,
})

if (duration === 0) {
  const { ending, items } = await start(plan).result
  if (ending !== "complete" || items.pending > 0) throw new Error(`The last run is not whole: ${ending}`)
}

const until = performance.now() + duration
let failed = 0
for (let run = 0; performance.now() < until; run++) {
  await changeFolder(folder, seed * 10_000 + run)
  const handle = start(faultyPlan(run))
  // Some are stopped, by either way.
  if (run % 4 === 3) setTimeout(() => handle.cancel({ drain: run % 8 === 3 }), 200)
  try {
    await handle.result
  } catch (error) {
    const expected = error instanceof FatalError || messageOf(error).startsWith("A fault on purpose")
    if (!expected) throw error
    failed++
  }
  console.log(JSON.stringify(sample(run + 1, failed)))
}
