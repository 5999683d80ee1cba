/** Keeps a long synchronous loop a good citizen: it reports progress, lets messages in, and stops when asked to. */
import { setImmediate } from "node:timers/promises"
import type { NormalizeContext } from "../../model/normalizer.ts"

const INTERVAL_MS = 250

export interface Pace {
  /** Whether it is time for `pause`; cheap enough for every packet. */
  readonly due: () => boolean
  /** @throws the signal's reason when the run was stopped. */
  readonly pause: () => Promise<void>
}

export const newPace = (context: NormalizeContext): Pace => {
  let next = performance.now() + INTERVAL_MS
  return {
    due: () => performance.now() >= next,
    pause: async () => {
      context.progress()
      await setImmediate()
      context.signal.throwIfAborted()
      next = performance.now() + INTERVAL_MS
    },
  }
}
