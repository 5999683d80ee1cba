/** Ingests as it is told, and kills itself at the n-th time a crash point is reached: `ingest-child.ts JSON`. */

import { type CrashPoint, onCrashPoint } from "../../src/engine/crash-point.ts"
import type { WriteMode } from "../../src/engine/plan.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { type Durability, lance } from "../../src/sinks/lance.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { files } from "../../src/sources/files.ts"

export interface ChildTask {
  readonly folder: string
  readonly uri: string
  /** Default: Lance. */
  readonly sink?: "lance" | "parquet"
  readonly mode?: WriteMode
  readonly commitEvery?: number
  readonly durability?: Durability
  /** `during-maintain` is a moment after `before-maintain`. */
  readonly point?: CrashPoint | "during-maintain"
  /** How often the point is passed before. */
  readonly after?: number
}

const {
  folder,
  uri,
  sink: kind = "lance",
  mode,
  commitEvery = 12,
  durability = "process",
  point,
  after = 0,
}: ChildTask = JSON.parse(process.argv[2] ?? "{}")

/** Compaction takes some milliseconds; this is inside it more often than not. */
const INSIDE_MS = 4

let left = after
onCrashPoint((reached) => {
  const during = point === "during-maintain" && reached === "before-maintain"
  if ((reached !== point && !during) || left-- > 0) return
  const die = (): void => {
    process.kill(process.pid, "SIGKILL")
  }
  if (during) setTimeout(die, INSIDE_MS)
  else die()
})

const sink = kind === "parquet" ? parquet({ uri, table: "t" }) : lance({ uri, table: "t", index: ["text"], durability })
const source = files({ include: folder })
const summary = await run(
  filesPlan(
    { name: "crash", source, sink },
    { flushEvery: Math.min(2, commitEvery), commitEvery, maxDeleteRatio: 1, ...(mode && { mode }) },
  ),
  // The parent counts commits to choose its moments: time alone says little of how far a slow machine has come.
  { onEvent: (event) => event.type === "committed" && console.log("committed") },
)
console.log(JSON.stringify(summary))
