/** Ctrl-C and its like while a run goes on: the first finishes what is in flight, the second stops at once. */
const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const
type StopSignal = keyof typeof SIGNALS

/** A run, or a server of runs. */
interface Stoppable {
  cancel(options?: { readonly drain?: boolean }): void
}

export interface SignalWatch {
  /** 128 + the number of the first signal that came, as shells have it. */
  exitCode(): number | undefined
  release(): void
}

export const drainOnSignals = (handle: Stoppable, tell: (text: string) => void): SignalWatch => {
  let first: StopSignal | undefined
  const onSignal = (signal: StopSignal): void => {
    if (first === undefined) {
      first = signal
      tell(`${signal}: finishing and committing what is in flight; a second one stops at once`)
      handle.cancel()
      return
    }
    tell(`${signal}: stopping at the last commit`)
    handle.cancel({ drain: false })
    // Whoever sends a third one gets what the system does with it.
    release()
  }
  const names = Object.keys(SIGNALS) as StopSignal[]
  const release = (): void => {
    for (const name of names) process.off(name, onSignal)
  }
  for (const name of names) process.on(name, onSignal)
  return { exitCode: () => first && SIGNALS[first], release }
}
