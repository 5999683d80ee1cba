/**
 * `npm run soak [-- --minutes 60 --seed 1]`: one process that makes run after run with parts that fail, and another one
 * that is killed and started again. What the first one takes has to stay flat, and in the end both tables have to be
 * what their folders are.
 */
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { dice } from "../../src/model/dice.ts"
import { differences, sorted, takeSnapshot } from "../../src/selftest/snapshot.ts"
import type { Sample, SoakTask } from "./child.ts"
import { makeFolder } from "./inputs.ts"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "60" }, seed: { type: "string", default: "1" } },
})
const duration = Number(values.minutes) * 60_000
const seed = Number(values.seed)
const child = fileURLToPath(new URL("./child.ts", import.meta.url))

/** Milliseconds that a process may take to come to its end. */
const PATIENCE = 60_000

const runChild = (
  task: SoakTask,
  { killAfter, onSample }: { killAfter?: number; onSample?: (sample: Sample) => void },
) =>
  new Promise<void>((resolve, reject) => {
    const process_ = spawn(process.execPath, [child, JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "inherit"],
      // As the command line has it.
      env: { ...process.env, MALLOC_ARENA_MAX: "2", MALLOC_MMAP_THRESHOLD_: "1048576" },
    })
    let rest = ""
    process_.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) onSample?.(JSON.parse(line))
    })
    process_.on("error", reject)
    process_.on("close", (code, signal) => {
      if (code === 0 || (signal === "SIGKILL" && killAfter !== undefined)) resolve()
      else reject(new Error(`A child ended by itself (${signal ?? `exit code ${code}`})`))
    })
    const patience = setTimeout(
      () => {
        process_.kill("SIGKILL")
        if (killAfter === undefined) reject(new Error(`A child did not end ${PATIENCE / 1000} s after it was to`))
      },
      killAfter ?? task.duration + PATIENCE,
    )
    process_.on("close", () => clearTimeout(patience))
  })

const root = await mkdtemp(join(tmpdir(), "sluice-soak-"))
const steady = { folder: join(root, "steady files"), uri: join(root, "steady") }
const killed = { folder: join(root, "killed files"), uri: join(root, "killed") }
for (const { folder } of [steady, killed]) await makeFolder(folder)

const samples: Sample[] = []
let kills = 0
let killedRuns = 0
const until = performance.now() + duration

const say = setInterval(() => {
  const last = samples.at(-1)
  if (!last) return
  const { runs, failed, rss, fds, threads } = last
  console.log(
    `${runs} runs (${failed} ended by a fault), ${Math.round(rss / 2 ** 20)} MiB, ${fds} files, ${threads} threads; beside it ${kills} kills, ${killedRuns} runs`,
  )
}, 10_000)

const killLoop = async (): Promise<void> => {
  const next = dice(seed, "kills")
  // The longer it lives, the more it comes to; most kills come early.
  for (let life = 0; performance.now() < until; life++, kills++) {
    await runChild(
      { ...killed, seed: seed + 1000 + life, duration: 600_000 },
      { killAfter: 1000 + next() ** 2 * 20_000, onSample: () => killedRuns++ },
    )
    await sleep(next() * 200)
  }
}

await Promise.all([runChild({ ...steady, seed, duration }, { onSample: (sample) => samples.push(sample) }), killLoop()])
clearInterval(say)

const problems: string[] = []
for (const [name, { folder, uri }] of Object.entries({ steady, killed })) {
  await runChild({ folder, uri, seed, duration: 0 }, {})
  const clean = join(root, `${name} clean`)
  await runChild({ folder, uri: clean, seed, duration: 0 }, {})
  // A record tells how often an item was tried, and what was made to be missing: that differs.
  const count = (records: readonly string[]): number => records.filter((one) => !one.includes('"partial"')).length
  const { t__items: expectedItems = [], ...expected } = sorted(await takeSnapshot(clean))
  const { t__items: foundItems = [], ...found } = sorted(await takeSnapshot(uri))
  problems.push(...differences(expected, found).map((difference) => `${name}: ${difference}`))
  if (count(expectedItems) !== count(foundItems)) {
    problems.push(`${name}: expected ${count(expectedItems)} items without rows, found ${count(foundItems)}`)
  }
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
/**
 * The first quarter is for warming up; after that, what the last quarter takes is compared with the second. Some growth
 * is none of a leak: the store starts threads as it has use for them, and memory is given back late. One leak a run
 * would be far more.
 */
const early = samples.slice(samples.length >> 2, samples.length >> 1)
const late = samples.slice(-(samples.length >> 2))
const LIMITS = {
  rss: (before: number) => before * 1.15 + (64 << 20),
  fds: (before: number) => before + 10,
  threads: (before: number) => before + 30,
} as const
for (const what of ["rss", "fds", "threads"] as const) {
  const [before = 0, after = 0] = [early, late].map((some) => median(some.map((one) => one[what])))
  const shown = [before, after].map((value) => (what === "rss" ? `${Math.round(value / 2 ** 20)} MiB` : String(value)))
  console.log(`${what}: ${shown.join(" → ")}`)
  if (after > LIMITS[what](before)) problems.push(`${what} grew from ${shown[0]} to ${shown[1]}`)
}
console.log(`${samples.length} runs under faults; ${kills} kills, ${killedRuns} runs between them; seed ${seed}`)
if (samples.length < 20)
  problems.push(`Expected at least 20 runs, found ${samples.length}: nothing can be said of so few`)
if (problems.length > 0) {
  console.error(`${problems.join("\n")}\nThe tables are in ${root}`)
  process.exitCode = 1
} else {
  await rm(root, { recursive: true })
  console.log("Nothing was lost, nothing is there twice, nothing grew")
}
