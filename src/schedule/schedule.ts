/** Runs a plan again and again, at the times of a cron expression. */

import type { Plan } from "../engine/plan.ts"
import { ConfigError } from "../model/errors.ts"
import type { Progress } from "../model/events.ts"
import { type Clock, SYSTEM_CLOCK } from "./clock.ts"
import { parseCron } from "./cron.ts"
import type { ScheduleEvent, StartCause } from "./events.ts"
import { type Lease, leasesIn, leasesInMemory, type State } from "./lease.ts"
import { openRun, type ScheduledRun } from "./run.ts"
import type { Slot } from "./slots.ts"

export interface ScheduleSpec {
  /** Minute, hour, day, month and weekday; with seconds before them where there are six; or `@daily` and the like. */
  readonly cron: string
  /** The IANA time zone of its times, such as `Europe/Berlin`. Default `UTC`. */
  readonly timezone?: string
  /**
   * What happens when a run is due while the one before it goes on: it is left out (`skip`, the default), begins after
   * it (`queue`, one at most), or that one is drained and it begins then (`cancel`).
   */
  readonly overlap?: "skip" | "queue" | "cancel"
  /** What happens to runs that were missed or cut off: nothing (`none`, the default), or one run at once (`last`). */
  readonly catchUp?: "none" | "last"
  /** Each run begins up to so many milliseconds later, at random. Default 0. */
  readonly jitter?: number
}

export interface ScheduleOptions {
  /** Called with every event. */
  readonly onEvent?: (event: ScheduleEvent) => void
  /** Runs wait for it, where several schedules share a bound. */
  readonly slot?: Slot
  /** Another clock than the system's, for tests. */
  readonly clock?: Clock
}

export interface ScheduleHandle {
  /** When the next run begins, in milliseconds since 1970; undefined before that is known and after the end. */
  readonly next: number | undefined
  /** How far the run is that goes on. */
  stats(): Progress | undefined
  /** Starts no more runs, and drains the one that goes on (or, without `drain`, stops it at its last commit). */
  stop(options?: { readonly drain?: boolean }): Promise<void>
  /** Starts no more runs; the one that goes on comes to its end. */
  end(): Promise<void>
}

/** A run that begins later than this has been missed; one that is a little late has not. */
const LATE_MS = 60_000
/** Longest time between two looks at the clock, which may be set, and at what other processes did. */
const LOOK_MS = 30_000
/** Between two looks at a schedule that another process runs. */
const BUSY_MS = 1000
/** A clock that was set back by more than this does not keep the schedule waiting until it has caught up. */
const SET_BACK_MS = 86_400_000

/** The run that goes on. */
interface Current {
  readonly due: number
  readonly lease: Lease
  readonly run: ScheduledRun
  /** The due time of the one that follows. */
  queued?: number
}

/** When each time of a schedule is due, with its jitter. */
const jittered = (jitter: number) => {
  let known = { due: Number.NaN, at: Number.NaN }
  return (due: number): number => {
    if (known.due !== due) known = { due, at: due + Math.random() * jitter }
    return known.at
  }
}

/**
 * Runs the plan at the times of `spec`: a cron expression in UTC, or more. What was done is kept beside the table, so
 * that each time is run once, whatever was restarted and however many processes have the same schedule.
 *
 * @throws {ConfigError} for a cron expression or a time zone that is none.
 * @example
 * ```ts
 * const plan = filesPlan({ name: "notes", source: files({ include: "./notes" }), sink: lance({ uri: "./data", table: "notes" }) })
 * const nightly = schedule(plan, { cron: "0 3 * * *", timezone: "Europe/Berlin", catchUp: "last" }, {
 *   onEvent: (event) => event.type === "finished" && console.log(`${event.summary.rows} rows`),
 * })
 * process.once("SIGTERM", () => nightly.stop())
 * ```
 */
export const schedule = (plan: Plan, spec: string | ScheduleSpec, options: ScheduleOptions = {}): ScheduleHandle => {
  const given = typeof spec === "string" ? { cron: spec } : spec
  const { overlap = "skip", catchUp = "none", jitter = 0 } = given
  const times = parseCron(given.cron, given.timezone)
  if (!(jitter >= 0 && jitter < Infinity)) {
    throw new ConfigError(`jitter: expected milliseconds, found ${JSON.stringify(jitter)}`)
  }
  const { clock = SYSTEM_CLOCK } = options
  const emit = options.onEvent ?? (() => {})
  const { folder, table } = plan.sink
  const leases = folder === undefined ? leasesInMemory() : leasesIn(folder, table, plan.name)
  const begins = jittered(jitter)

  let stopped = false
  let wake = new AbortController()
  let next: number | undefined
  /** What is on the disk; known to be so while we have the lease. */
  let state: State | undefined
  let current: Current | undefined
  /** The due time that somebody else was last found to decide about. */
  let elsewhere: number | undefined

  const wait = async (milliseconds: number): Promise<void> => {
    if (!stopped) await clock.wait(milliseconds, wake.signal)
    wake = new AbortController()
  }

  const save = async (lease: Lease, change: Partial<State>): Promise<void> => {
    const { cron, timezone } = times
    const saved = { until: clock.now(), running: null, ...state, ...change, cron, timezone }
    await lease.save(saved)
    state = saved
  }

  /** Whether it can be true: a clock may have gone wrong for a while. */
  const isSane = ({ until }: State): boolean => until < clock.now() + SET_BACK_MS

  /** What this schedule can go on from: the times of another expression are not ours. */
  const fits = (found: State | undefined): boolean =>
    found?.cron === times.cron && found.timezone === times.timezone && isSane(found)

  /** Takes the lease; undefined where another process has it, which then decides what becomes of `due`. */
  const take = async (due: number): Promise<Lease | undefined> => {
    const lease = await leases.take()
    if ("save" in lease) return lease
    if (elsewhere !== due) emit({ type: "elsewhere", due, heldBy: lease.heldBy })
    elsewhere = due
    await wait(BUSY_MS)
    return undefined
  }

  const dueAfter = ({ until, running }: State): number =>
    running !== null && catchUp === "last" && !current ? running : times.next(until)

  /** Begins with what was left of an earlier time, or with nothing: then the first time is the one after now. */
  const begin = async (): Promise<State | undefined> => {
    const found = await leases.read()
    if (fits(found)) return found
    const lease = await take(times.next(clock.now()))
    if (!lease) return undefined
    try {
      state = await leases.read()
      if (!fits(state)) await save(lease, { until: clock.now() })
      return state
    } finally {
      await lease.release()
    }
  }

  const run = (lease: Lease, due: number, cause: StartCause): void => {
    const opened = openRun(plan, options.slot, {
      started: (id) => emit({ type: "started", due, cause, run: id }),
      event: (id, event) => emit({ type: "run", run: id, event }),
      finished: (summary) => emit({ type: "finished", due, summary }),
      failed: (error) => emit({ type: "failed", due, error }),
    })
    current = { due, lease, run: opened }
    // The order to stop may have come while the lease was taken.
    if (stopped) opened.cancel({ drain: true })
    opened.done.then(() => wake.abort())
  }

  /** Runs what is due, if nobody else has. */
  const claim = async (due: number): Promise<void> => {
    const lease = await take(due)
    if (!lease) return
    let kept = false
    try {
      state = await leases.read()
      if (!state || stopped) return
      const now = clock.now()
      const found = dueAfter(state)
      if (begins(found) > now) return
      const missed = found === state.running || now - begins(found) > LATE_MS
      if (missed) emit({ type: "missed", due: found, caughtUp: catchUp === "last" })
      const runs = !missed || catchUp === "last"
      await save(lease, { until: now, running: runs ? found : null })
      if (!runs) return
      kept = true
      run(lease, found, missed ? "catch-up" : "due")
    } finally {
      if (!kept) await lease.release()
    }
  }

  /** Decides about a time that came while the run before it goes on. */
  const collide = async (running: Current, due: number): Promise<void> => {
    await save(running.lease, { until: clock.now() })
    // One that waits for its turn has nothing to cancel, and one more would do the same again.
    const policy = running.queued !== undefined || !running.run.begun ? "skip" : overlap
    emit({ type: "overlap", due, policy })
    if (policy === "skip") return
    running.queued = due
    if (policy === "cancel") running.run.cancel({ drain: true })
  }

  const settle = async ({ due, lease, run: { ended }, queued }: Current): Promise<void> => {
    current = undefined
    let kept = false
    try {
      const again = stopped ? undefined : queued
      await save(lease, { running: again ?? (ended?.cut ? due : null) })
      if (again === undefined) return
      kept = true
      run(lease, again, "overlap")
    } finally {
      if (!kept) await lease.release()
    }
  }

  const step = async (): Promise<void> => {
    if (current?.run.ended) return settle(current)
    if (!current) {
      const found = state && (await leases.read())
      state = found && isSane(found) ? found : await begin()
    }
    if (!state) return
    const due = dueAfter(state)
    const at = begins(due)
    next = at
    const now = clock.now()
    if (at > now) return wait(Math.min(at - now, LOOK_MS))
    return current ? collide(current, due) : claim(due)
  }

  const loop = async (): Promise<void> => {
    while (!stopped) {
      try {
        await step()
      } catch (error) {
        emit({ type: "failed", due: undefined, error })
        await wait(LOOK_MS)
      }
    }
    next = undefined
    if (!current) return
    await current.run.done
    await settle(current).catch((error: unknown) => emit({ type: "failed", due: undefined, error }))
  }

  const ended = loop()
  const close = (): Promise<void> => {
    stopped = true
    wake.abort()
    return ended
  }
  return {
    get next() {
      return next
    },
    stats: () => current?.run.stats(),
    stop: ({ drain = true } = {}) => {
      current?.run.cancel({ drain })
      return close()
    },
    end: () => {
      if (!current?.run.begun) current?.run.cancel({ drain: true })
      return close()
    },
  }
}
