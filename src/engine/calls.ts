/** Calls of a user's function: so many at a time, so many a second, again when they fail, and none that never ends. */
import { setTimeout as sleep } from "node:timers/promises"
import { IngestError, isFatal, messageOf } from "../model/errors.ts"
import { type RunEvent, SLOW_SECONDS } from "../model/events.ts"
import type { StageTally } from "./stage-tally.ts"

export interface CallLimits {
  readonly concurrency: number
  readonly retries: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly timeout: number
}

/** Milliseconds before the first repetition; it doubles. */
const FIRST_WAIT = 200
const LONGEST_WAIT = 30_000

/** A call that is wrong stays wrong. */
const isWorthAnother = (error: unknown): boolean => !(error instanceof IngestError) && !isFatal(error)

/** What a call is about: its first item, and how many items and rows there are. */
export type CallAbout = Pick<Extract<RunEvent, { type: "call" }>, "item" | "items" | "rows">

interface CallOptions {
  readonly limits: CallLimits
  /** Aborted when nobody waits any more. */
  readonly over: AbortSignal
  readonly tally: StageTally
  readonly emit: (event: RunEvent) => void
}

export const openCalls = ({ limits, over, tally, emit }: CallOptions) => {
  const { concurrency, retries, perSecond, timeout } = limits
  const stage = tally.stage === "filter" ? "filter" : "map"
  const waiting: (() => void)[] = []
  let running = 0
  /** When the next call may be made. */
  let free = 0

  const enter = async (): Promise<void> => {
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
  }
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else running--
  }

  const turn = async (): Promise<void> => {
    const now = performance.now()
    const at = Math.max(now, free)
    free = at + 1000 / perSecond
    if (at > now) await sleep(at - now, undefined, { signal: over })
  }

  /** Ends at the time limit whatever the function does. */
  const once = async <T>(call: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
    const signal = AbortSignal.any([over, AbortSignal.timeout(timeout)])
    const late = new Promise<never>((_, reject) => {
      const stop = (): void =>
        reject(over.aborted ? new Error("the run is over") : new Error(`no answer within ${timeout / 1000} s`))
      if (signal.aborted) stop()
      signal.addEventListener("abort", stop, { once: true })
    })
    return Promise.race([call(signal), late])
  }

  /** One try, counted, and told where it fails or takes long. */
  const watched = async <T>(
    call: (signal: AbortSignal) => T | Promise<T>,
    about: CallAbout,
    attempt: number,
  ): Promise<T> => {
    const begun = Date.now()
    const since = performance.now()
    let error: string | null = null
    tally.inFlight++
    try {
      return await once(call)
    } catch (thrown) {
      error = messageOf(thrown)
      throw thrown
    } finally {
      const seconds = (performance.now() - since) / 1000
      tally.inFlight--
      // Nobody has failed where the run is over.
      if (!over.aborted) {
        tally.took(seconds)
        if (error !== null) tally.failed++
        if (error !== null || seconds >= SLOW_SECONDS) {
          emit({ type: "call", stage, name: tally.name, ...about, attempt, begun, seconds, error })
        }
      }
    }
  }

  return async <T>(call: (signal: AbortSignal) => T | Promise<T>, about: CallAbout): Promise<T> => {
    await enter()
    try {
      for (let attempt = 0; ; attempt++) {
        await turn()
        try {
          return await watched(call, about, attempt + 1)
        } catch (error) {
          if (attempt >= retries || over.aborted || !isWorthAnother(error)) throw error
          tally.retries++
          const wait = Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT)
          await sleep(wait * (0.5 + Math.random()), undefined, { signal: over })
        }
      }
    } finally {
      leave()
    }
  }
}
