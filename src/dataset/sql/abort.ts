/** Ending what is read from the store when nobody waits for it any more. */

/** The promise, or the signal's reason as soon as it is aborted. A race would hold on to every value until then. */
const orAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    const settled = (): void => signal.removeEventListener("abort", stop)
    if (signal.aborted) stop()
    else signal.addEventListener("abort", stop)
    promise.then(resolve, reject).finally(settled)
  })

/** Throws the signal's reason as soon as it is aborted, also while the next one is waited for. */
export async function* withAbort<T>(from: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    signal.throwIfAborted()
    for (let next = from.next(); ; ) {
      const { done, value } = await orAborted(next, signal)
      if (done) return
      // Asked for while this one is worked on.
      next = from.next()
      // What goes wrong is heard when it is waited for, above.
      next.catch(() => undefined)
      yield value
    }
  } finally {
    // Not waited for: a call of the store that is under way cannot be ended, and what it says then is of no use.
    void from.return(undefined).catch(() => undefined)
  }
}
