/** Promises as effects: what they reject with is the error, as it is. */
import * as Effect from "effect/Effect"

const toError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(String(cause)))

export const attempt = <A>(run: (signal: AbortSignal) => PromiseLike<A>): Effect.Effect<A, Error> =>
  Effect.tryPromise({ try: run, catch: toError })
