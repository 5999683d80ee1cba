/** Calls of a user's function: so many at a time, so many a second, again when they fail, and none that never ends. */
import { setTimeout as sleep } from "node:timers/promises"
import { IngestError, isFatal } from "../model/errors.ts"

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

/** @param over aborted when nobody waits any more. */
export const openCalls = ({ concurrency, retries, perSecond, timeout }: CallLimits, over: AbortSignal) => {
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

  return async <T>(call: (signal: AbortSignal) => T | Promise<T>): Promise<T> => {
    await enter()
    try {
      for (let attempt = 0; ; attempt++) {
        await turn()
        try {
          return await once(call)
        } catch (error) {
          if (attempt >= retries || over.aborted || !isWorthAnother(error)) throw error
          const wait = Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT)
          await sleep(wait * (0.5 + Math.random()), undefined, { signal: over })
        }
      }
    } finally {
      leave()
    }
  }
}
