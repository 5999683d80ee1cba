/** What can be said of a query besides its text: how long it may take, who else may end it. */

import { ConfigError, TableError } from "../../model/errors.ts"
import type { At } from "../open.ts"

export interface QueryOptions {
  /** The version to read, of the only table that is named; or a tag, which all of them have. Default: that of now. */
  readonly at?: At
  /** Milliseconds until "Query timed out", from the call to the last row. Default 60,000; `Infinity`: no limit. */
  readonly timeoutMs?: number
  /** Aborting it ends the query with the signal's reason. */
  readonly signal?: AbortSignal
}

const TIMEOUT = 60_000
/** Longer timers go off at once. */
const LONGEST = 2 ** 31 - 1

export interface Deadline {
  readonly signal: AbortSignal
  /** To be called when the query has ended. */
  clear(): void
}

export const deadlineOf = ({ timeoutMs = TIMEOUT, signal }: QueryOptions): Deadline => {
  if (typeof timeoutMs !== "number" || !(timeoutMs > 0)) {
    throw new ConfigError(`timeoutMs: expected milliseconds above 0, found ${timeoutMs}`)
  }
  const controller = new AbortController()
  const expire = (): void =>
    controller.abort(
      new TableError(
        `Query timed out after ${timeoutMs / 1000} s; give it more time (timeoutMs, --timeout), or make it read less`,
      ),
    )
  const timer = timeoutMs <= LONGEST ? setTimeout(expire, timeoutMs) : undefined
  timer?.unref()
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    clear: () => clearTimeout(timer),
  }
}
