/**
 * A run as a trace: a span for the run, with children for the listing, its commits, and the calls of stages that failed
 * or took long. Items that failed are events of the run. However large a run is, so many spans are made of it at most.
 */
import { messageOf } from "../model/errors.ts"
import type { RunEvent, Summary } from "../model/events.ts"
import type { Attributes, TraceSpan, Tracing } from "./tracing.ts"

/** Of commits, and of calls: so many spans; after that, one only where it took longer than all before it, by a tenth. */
const SPANS = 200
const LONGER = 1.1
/** As many events as OpenTelemetry's own libraries keep of a span. */
const EVENTS = 128

export interface RunTrace {
  event(event: RunEvent): void
  /** The run came to no end of its own. Does nothing after `finished`. */
  failed(error: unknown): void
}

const openBudget = () => {
  let made = 0
  let longest = 0
  return (seconds: number): boolean => {
    if (made >= SPANS && seconds <= longest * LONGER) return false
    made++
    longest = Math.max(longest, seconds)
    return true
  }
}

const countsOf = ({ items, rows, bytes, version, ending }: Summary): Attributes => ({
  "sluice.ending": ending,
  "sluice.rows": rows,
  "sluice.bytes": bytes,
  "sluice.version": version,
  ...Object.fromEntries(Object.entries(items).map(([state, count]) => [`sluice.items.${state}`, count])),
})

const openTrace = (root: TraceSpan, now: () => number): RunTrace => {
  const commits = openBudget()
  const calls = openBudget()
  let events = 0
  let leftOut = 0

  const note = (name: string, attributes: Attributes): void => {
    if (events++ < EVENTS) root.event(name, now(), attributes)
    else leftOut++
  }
  const span = (name: string, begun: number, seconds: number, attributes: Attributes, error?: string): void =>
    root.child(name, begun, attributes).end(begun + seconds * 1000, error)

  const end = (error?: string): void => {
    if (leftOut > 0) root.set({ "sluice.left_out": leftOut })
    root.end(now(), error)
  }

  return {
    event: (event) => {
      switch (event.type) {
        case "started":
          return root.set({ "sluice.run": event.run, "sluice.resumed_items": event.resumedItems })
        case "listed": {
          const { items, seconds } = event
          return span("list", now() - seconds * 1000, seconds, { "sluice.items": items })
        }
        case "committed": {
          const { seconds, version, occasion, rows } = event
          if (!commits(seconds)) leftOut++
          else
            span("commit", now() - seconds * 1000, seconds, {
              "sluice.version": version,
              "sluice.reason": occasion,
              "sluice.rows_so_far": rows,
            })
          return
        }
        case "call": {
          const { stage, name, item, items, rows, attempt, begun, seconds, error } = event
          if (!calls(seconds)) {
            leftOut++
            return
          }
          const about = { "sluice.stage": stage, "sluice.item": item, "sluice.items": items, "sluice.rows": rows }
          const title = stage === "normalize" ? stage : `${stage} ${name}`
          return span(title, begun, seconds, { ...about, "sluice.attempt": attempt }, error ?? undefined)
        }
        case "settled":
          if (event.status !== "failed") return
          return note("item failed", {
            "sluice.item": event.item,
            "sluice.stage": event.stage,
            "sluice.message": event.message,
          })
        case "warning":
          return note("warning", { "sluice.message": event.message })
        case "stopping":
          return note("stopping", { "sluice.reason": event.reason })
        case "finished": {
          const { summary } = event
          root.set(countsOf(summary))
          return end(summary.ending === "too-many-failures" ? "too many items failed" : undefined)
        }
      }
    },
    failed: (error) => end(messageOf(error)),
  }
}

/** A trace of a run that begins now; undefined where it is not traced. */
export const traceRun = (
  tracing: Tracing | undefined,
  about: { readonly pipeline: string; readonly table: string },
  now: () => number = Date.now,
): RunTrace | undefined => {
  const { pipeline, table } = about
  const root = tracing?.trace(`run ${pipeline}`, now(), { "sluice.pipeline": pipeline, "sluice.table": table })
  return root && openTrace(root, now)
}
