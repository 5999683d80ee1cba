/** What a schedule does, in the server's log. */
import { ManagedServiceError, messageOf } from "../../model/errors.ts"
import type { RunEvent, Summary } from "../../model/events.ts"
import type { Log } from "../../observe/log.ts"
import type { ScheduleEvent, StartCause } from "../../schedule/events.ts"

/** So many failures of a run are told one by one; all of them are dead letters. */
const FAILURES_SHOWN = 5

const CAUSES: Readonly<Record<StartCause, string>> = {
  due: "run started",
  "catch-up": "run started, to make up for what was missed",
  overlap: "run started, after the one before it",
}

const POLICIES = {
  skip: "not run: the run before it goes on",
  queue: "waits: the run before it goes on",
  cancel: "the run before it goes on, and is drained first",
} as const

const iso = (at: number): string => new Date(at).toISOString()

const countsOf = ({ run, rows, seconds, items }: Summary) => ({
  run,
  rows,
  seconds: Number(seconds.toFixed(3)),
  listed: items.listed,
  done: items.done,
  unchanged: items.unchanged,
  failed: items.failed,
  removed: items.removed,
})

/** Where an error comes from that nobody foresaw. */
const stackOf = (error: unknown) =>
  error instanceof Error && !(error instanceof ManagedServiceError) && !("syscall" in error)
    ? { stack: error.stack ?? "" }
    : {}

/** Says what happens in the schedule of a pipeline. */
export const logEvents = (log: Log, pipeline: string): ((event: ScheduleEvent) => void) => {
  let failures = 0

  const onRun = (run: string, event: RunEvent): void => {
    if (event.type === "settled" && event.status === "failed" && ++failures <= FAILURES_SHOWN) {
      log.warn(`failed: ${event.item}: ${event.message}`, { pipeline, run })
    }
    if (event.type === "warning") log.warn(event.message, { pipeline, run })
  }

  return (event) => {
    switch (event.type) {
      case "started":
        failures = 0
        return log.info(CAUSES[event.cause], { pipeline, run: event.run, due: iso(event.due) })
      case "run":
        return onRun(event.run, event.event)
      case "finished": {
        const { ending } = event.summary
        const level = ending === "too-many-failures" ? "error" : "info"
        if (failures > FAILURES_SHOWN) {
          log.warn(`${failures - FAILURES_SHOWN} more items failed; they are dead letters`, { pipeline })
        }
        return log[level](`run ended: ${ending}`, { pipeline, ...countsOf(event.summary) })
      }
      case "failed":
        return log.error(messageOf(event.error), {
          pipeline,
          ...(event.due !== undefined && { due: iso(event.due) }),
          ...stackOf(event.error),
        })
      case "overlap":
        return log.warn(POLICIES[event.policy], { pipeline, due: iso(event.due) })
      case "missed":
        return log.warn(
          event.caughtUp ? "missed or cut off" : "missed: no server was there; it is left out (catch_up: none)",
          { pipeline, due: iso(event.due) },
        )
      case "elsewhere":
        return log.info(`left to ${event.heldBy}`, { pipeline, due: iso(event.due) })
    }
  }
}
