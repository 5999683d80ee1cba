/** One run of a schedule, from waiting for its turn to its end. */
import type { Plan } from "../engine/plan.ts"
import type { Progress, RunEvent, Summary } from "../model/events.ts"
import { type RunHandle, start } from "../pipeline.ts"
import type { Slot } from "./slots.ts"

export interface ScheduledRun {
  readonly begun: boolean
  /** Settled; `cut` when it was stopped before its end. */
  readonly ended: { readonly cut: boolean } | undefined
  readonly done: Promise<void>
  stats(): Progress | undefined
  /** Stops it: one that has not begun does not begin. */
  cancel(options: { readonly drain: boolean }): void
}

interface Hooks {
  readonly started: (run: string) => void
  readonly event: (run: string, event: RunEvent) => void
  readonly finished: (summary: Summary) => void
  readonly failed: (error: unknown) => void
}

export const openRun = (plan: Plan, slot: Slot | undefined, hooks: Hooks): ScheduledRun => {
  const given = new AbortController()
  let handle: RunHandle | undefined
  let ended: ScheduledRun["ended"]

  const turn = async (): Promise<(() => void) | undefined> => {
    try {
      return slot ? await slot(given.signal) : () => {}
    } catch (error) {
      if (given.signal.aborted) return undefined
      throw error
    }
  }

  const work = async (): Promise<void> => {
    let cut = true
    try {
      const leave = await turn()
      if (!leave) return
      try {
        if (given.signal.aborted) return
        const running = start(plan, { onEvent: (event) => hooks.event(running.id, event) })
        handle = running
        hooks.started(running.id)
        const summary = await running.result
        cut = summary.ending === "interrupted"
        hooks.finished(summary)
      } finally {
        leave()
      }
    } catch (error) {
      cut = false
      hooks.failed(error)
    } finally {
      ended = { cut }
    }
  }

  const done = work()
  return {
    get begun() {
      return handle !== undefined
    },
    get ended() {
      return ended
    },
    done,
    stats: () => handle?.stats(),
    cancel: (how) => {
      given.abort()
      handle?.cancel(how)
    },
  }
}
