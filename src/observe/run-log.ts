/** What happens in runs, as log lines. */
import type { Progress, RunEvent, Summary } from "../model/events.ts"
import type { Log, LogFields } from "./log.ts"

/** So many failures of a run are told one by one; all of them are dead letters. So it is with calls that failed. */
const SHOWN = 5

/** What a run came to. */
export const summaryFields = ({ run, table, version, rows, bytes, seconds, items }: Summary): LogFields => ({
  run,
  table,
  version,
  rows,
  bytes,
  seconds: Number(seconds.toFixed(3)),
  ...items,
})

export const progressFields = ({ items, rowsCommitted, bytes, listingComplete }: Progress): LogFields => ({
  ...items,
  rows: rowsCommitted,
  bytes,
  listing: listingComplete ? "complete" : "goes on",
})

export interface RunLog {
  /** Tells what of a run's events somebody should read; its start and its end are the caller's to tell. */
  event(run: string, event: RunEvent): void
  /** Tells how many failures were not told. */
  end(run: string): void
}

/** For one pipeline; of its runs, one goes on at a time. */
export const logRuns = (log: Log, pipeline: string): RunLog => {
  let failures = 0
  let failedCalls = 0
  const rest = (count: number, text: string, run: string): void => {
    if (count > SHOWN) log.warn(`${count - SHOWN} more ${text}`, { pipeline, run })
  }

  return {
    event: (run, event) => {
      const fields = { pipeline, run }
      switch (event.type) {
        case "settled":
          if (event.status !== "failed" || ++failures > SHOWN) return
          return log.warn(`failed: ${event.item}: ${event.message}`, {
            ...fields,
            item: event.item,
            stage: event.stage,
          })
        case "call":
          if (event.error === null || ++failedCalls > SHOWN) return
          return log.warn(`a call failed: ${event.stage} ${JSON.stringify(event.name)}: ${event.error}`, {
            ...fields,
            stage: event.stage,
            attempt: event.attempt,
            seconds: Number(event.seconds.toFixed(3)),
          })
        case "warning":
          return log.warn(event.message, fields)
        case "stopping":
          return log.warn(`stopping: ${event.reason}`, fields)
      }
    },
    end: (run) => {
      rest(failures, "items failed; they are dead letters", run)
      rest(failedCalls, "calls failed", run)
      failures = 0
      failedCalls = 0
    },
  }
}
