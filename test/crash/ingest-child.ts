/**
 * Ingests a folder and, where it is told to, kills itself at the n-th time a crash point is reached:
 * `ingest-child.ts SINK FOLDER URI [POINT N]`. The point `during-maintain` is a moment after `before-maintain`.
 */
import { onCrashPoint } from "../../src/engine/crash-point.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { files } from "../../src/sources/files.ts"

const [name = "", folder = "", uri = "", point, count = "0"] = process.argv.slice(2)

/** Compaction takes some milliseconds; this is inside it more often than not. */
const INSIDE_MS = 4

let left = Number(count)
onCrashPoint((reached) => {
  const during = point === "during-maintain" && reached === "before-maintain"
  if ((reached !== point && !during) || left-- > 0) return
  const die = (): void => {
    process.kill(process.pid, "SIGKILL")
  }
  if (during) setTimeout(die, INSIDE_MS)
  else die()
})

// Lance compacts after 256 commits, Parquet after 64; there are about 600 rows.
const commitEvery = point?.includes("maintain") || name === "parquet" ? 2 : 6
const sink = name === "parquet" ? parquet({ uri, table: "t" }) : lance({ uri, table: "t", index: ["text"] })
const source = files({ include: folder })
const summary = await run(
  filesPlan({ name: "crash", source, sink }, { flushEvery: 2, commitEvery }),
  // The parent counts commits to choose its moments: time alone says little of how far a slow machine has come.
  { onEvent: (event) => event.type === "committed" && console.log("committed") },
)
console.log(JSON.stringify(summary))
