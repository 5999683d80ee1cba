/** What a schedule does, in the server's log. */
import { ManagedServiceError, messageOf } from "../../model/errors.ts"
import type { Log } from "../../observe/log.ts"
import { logRuns, summaryFields } from "../../observe/run-log.ts"
import type { ScheduleEvent, StartCause } from "../../schedule/events.ts"

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

/** Where an error comes from that nobody foresaw. */
const stackOf = (error: unknown) =>
  error instanceof Error && !(error instanceof ManagedServiceError) && !("syscall" in error)
    ? { stack: error.stack ?? "" }
    : {}

/** Says what happens in the schedule of a pipeline. */
export const logEvents = (log: Log, pipeline: string): ((event: ScheduleEvent) => void) => {
  const runs = logRuns(log, pipeline)
  /** The run that goes on. */
  let run = ""

  return (event) => {
    switch (event.type) {
      case "started":
        run = event.run
        return log.info(CAUSES[event.cause], { pipeline, run: event.run, due: iso(event.due) })
      case "run":
        return runs.event(event.run, event.event)
      case "finished": {
        const { ending } = event.summary
        const level = ending === "too-many-failures" ? "error" : "info"
        runs.end(run)
        return log[level](`run ended: ${ending}`, { pipeline, ...summaryFields(event.summary) })
      }
      case "failed":
        runs.end(run)
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
