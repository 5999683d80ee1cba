/** Ending what is read from the store when nobody waits for it any more. */

/** Throws the signal's reason as soon as it is aborted, also while the next one is waited for. */
export async function* withAbort<T>(from: AsyncGenerator<T>, signal: AbortSignal): AsyncGenerator<T> {
  let stop: () => void = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener("abort", stop, { once: true })
  })
  aborted.catch(() => undefined)
  try {
    signal.throwIfAborted()
    for (;;) {
      const next = await Promise.race([from.next(), aborted])
      if (next.done) return
      yield next.value
    }
  } finally {
    signal.removeEventListener("abort", stop)
    // Not waited for: a call of the store that is under way cannot be ended.
    void from.return(undefined).catch(() => undefined)
  }
}
