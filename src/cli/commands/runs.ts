/** `sluice runs` */
import { listRuns } from "../../dataset/runs.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { printRows } from "../output.ts"

const COLUMNS = [
  "started",
  "seconds",
  "pipeline",
  "table",
  "mode",
  "ending",
  "listed",
  "done",
  "unchanged",
  "failed",
  "removed",
  "rows",
  "run",
]

const secondsOf = (started: string, ended: string | null): number | null =>
  ended === null ? null : (Date.parse(ended) - Date.parse(started)) / 1000

export const runsCommand = async (options: {
  readonly uri: string
  readonly format: Format
  readonly table?: string
  readonly limit: number
}): Promise<void> => {
  const runs = (await listRuns(options.uri, options.table)).slice(0, options.limit)
  if (runs.length === 0 && options.format === "table") return say(`no runs in ${options.uri}`)
  if (options.format === "json")
    return printRows(
      "json",
      COLUMNS,
      runs.map((run) => ({ ...run })),
    )
  const rows = runs.map((run) => ({
    ...run,
    seconds: secondsOf(run.started, run.ended),
    // Without an end it goes on, or was killed.
    ending: run.ending ?? "not ended",
  }))
  printRows(options.format, COLUMNS, rows)
}
