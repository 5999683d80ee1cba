/**
 * Trying again what failed for a reason that passes: waits grow by half at random (so that many clients do not come
 * back at once), a server that says when to come back is believed, and both tries and time are bounded.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { IngestError, messageOf } from "../model/errors.ts"

export interface RetryPolicy {
  /** Tries in all. */
  readonly tries: number
  /** Milliseconds before the second try; twice as many before each further one. */
  readonly wait: number
  /** Milliseconds that a wait of our own choice may grow to. */
  readonly longestWait: number
  /** Milliseconds from the first try after which none is begun any more. */
  readonly total: number
  /** Milliseconds without a byte after which a request is given up. */
  readonly idle: number
  /** Called before each further try. */
  readonly again?: () => void
}

/** About a minute of waits. The Hub's own limits are windows of five minutes, and `Retry-After` says how much is left. */
export const RETRY: RetryPolicy = { tries: 8, wait: 500, longestWait: 30_000, total: 15 * 60_000, idle: 60_000 }

/** What was tried failed, and may go well later. */
export class Passing extends Error {
  /** Milliseconds that the other side asks to wait. */
  readonly after: number | undefined

  constructor(message: string, options: { readonly after?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.after = options.after
  }
}

/**
 * Milliseconds until the moment that `Retry-After` names, in seconds or as a date (RFC 9110, 10.2.3); undefined for
 * what is neither.
 */
export const retryAfter = (header: string | null, now = Date.now()): number | undefined => {
  if (header === null) return undefined
  const text = header.trim()
  if (/^\d+$/.test(text)) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/**
 * What `work` resolves to, tried again as long as it throws {@link Passing} and the policy allows. `work` calls
 * `progressed` when something came of a try, so that the next failure counts as the first one.
 *
 * @throws {IngestError} when it is given up; what else `work` throws; the reason of `signal` once it is aborted.
 */
export const retried = async <T>(
  work: (progressed: () => void) => Promise<T>,
  policy: RetryPolicy,
  signal: AbortSignal,
): Promise<T> => {
  let begun = performance.now()
  let tries = 0
  const progressed = (): void => {
    tries = 0
    begun = performance.now()
  }
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work(progressed)
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof Passing)) throw error
      tries++
      const backoff = Math.min(policy.wait * 2 ** (tries - 1), policy.longestWait) * (0.5 + Math.random())
      const wait = Math.max(error.after ?? 0, backoff)
      if (tries >= policy.tries || performance.now() - begun + wait > policy.total) {
        const asked = error.after === undefined ? "" : ` (it asks to wait ${Math.ceil(error.after / 1000)} s)`
        throw new IngestError(
          `${messageOf(error)}${asked}; given up after ${tries} ${tries === 1 ? "try" : "tries"}. Run again later to go on`,
          { cause: error },
        )
      }
      await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted())
      policy.again?.()
    }
  }
}
