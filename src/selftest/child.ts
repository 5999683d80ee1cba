/** The process that is killed: one run of a cell, told as JSON in its first argument. Prints a line for each commit, and
 * at the end how often it has passed each of the crash points. */
import { type CrashPoint, onCrashPoint } from "../engine/crash-point.ts"
import type { Plan } from "../engine/plan.ts"
import { Tabular } from "../formats/tabular/tabular.ts"
import type { Sink } from "../model/sink.ts"
import { filesPlan, formatPlan, type RunSettings, run } from "../pipeline.ts"
import { lance } from "../sinks/lance.ts"
import { files } from "../sources/files.ts"
import type { Cell } from "./cells.ts"
import { newFormat } from "./inputs.ts"
import { splitSink } from "./split-sink.ts"

export interface ChildTask {
  readonly cell: Cell
  readonly folder: string
  readonly uri: string
  /** The first filling of the table, before what is tested. */
  readonly first: boolean
  /** Ends itself when it comes to the point, after it has passed it so many times. */
  readonly crash?: { readonly point: CrashPoint; readonly after: number }
  /** Commits the checkpoint apart from the rows. */
  readonly mutate: boolean
}

const planOf = ({ cell, folder, first }: ChildTask, sink: Sink): Plan => {
  const settings: RunSettings = {
    mode: first ? "append" : cell.mode,
    maxDeleteRatio: 1,
    ...(cell.rows === "lean" ? { flushEvery: 4, commitEvery: 12 } : { flushEvery: 1, commitEvery: 2 }),
  }
  const name = "selftest"
  if (cell.source === "files") {
    return filesPlan({ name, source: files({ include: folder }), sink }, settings)
  }
  if (cell.source === "tabular") {
    const schema = cell.rows === "lean" ? {} : { image: "IMAGE" }
    return formatPlan({ name, format: new Tabular({ path: folder }), sink }, { ...settings, schema })
  }
  const changed = !first && cell.mode !== "append"
  return formatPlan({ name, format: newFormat(cell.rows, changed), sink }, settings)
}

const task: ChildTask = JSON.parse(process.argv[2] ?? "{}")
const { crash } = task
const passed: Record<string, number> = {}
onCrashPoint((point) => {
  if (point === crash?.point && (passed[point] ?? 0) === crash.after) process.kill(process.pid, "SIGKILL")
  passed[point] = (passed[point] ?? 0) + 1
})
const sink = lance({ uri: task.uri, table: "t", ...(task.cell.source === "files" && { index: ["text"] }) })
const summary = await run(planOf(task, task.mutate ? splitSink(sink) : sink), {
  // Whoever kills counts commits: time alone says little of how far a slow machine has come.
  onEvent: (event) => event.type === "committed" && console.log("committed"),
})
if (summary.ending !== "complete") throw new Error(`Expected the run to be complete, found ${summary.ending}`)
console.log(JSON.stringify(passed))
