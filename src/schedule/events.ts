/** What a schedule reports. Times are milliseconds since 1970; `due` is the time of the schedule that it is about. */
import type { RunEvent, Summary } from "../model/events.ts"

/** Why a run was started: its time had come, it had been missed, or the run before it had to end first. */
export type StartCause = "due" | "catch-up" | "overlap"

export type ScheduleEvent =
  | { readonly type: "started"; readonly due: number; readonly cause: StartCause; readonly run: string }
  | { readonly type: "run"; readonly run: string; readonly event: RunEvent }
  | { readonly type: "finished"; readonly due: number; readonly summary: Summary }
  /** The run, or what was to be kept of it, came to no good end; the schedule goes on. */
  | { readonly type: "failed"; readonly due: number | undefined; readonly error: unknown }
  /** The run before it goes on: it is left out, waits for that one's end, or cancels it. */
  | { readonly type: "overlap"; readonly due: number; readonly policy: "skip" | "queue" | "cancel" }
  /** Nobody was there when it was due. With `catch_up: last`, `started` follows. */
  | { readonly type: "missed"; readonly due: number; readonly caughtUp: boolean }
  /** Another process runs the schedule now, and decides about this time. */
  | { readonly type: "elsewhere"; readonly due: number; readonly heldBy: string }
