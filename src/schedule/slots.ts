/** A bound on runs at once, which several schedules share; who asks first is first. */

/** Resolves when there is room, with what gives it back; rejects when `signal` is aborted before. */
export type Slot = (signal: AbortSignal) => Promise<() => void>

export const slots = (count: number): Slot => {
  let free = count
  const waiting: (() => void)[] = []
  const leave = (): void => {
    const next = waiting.shift()
    if (next) next()
    else free++
  }
  return (signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const enter = (): void => {
        signal.removeEventListener("abort", give)
        resolve(leave)
      }
      const give = (): void => {
        waiting.splice(waiting.indexOf(enter), 1)
        reject(signal.reason)
      }
      if (free > 0) {
        free--
        return resolve(leave)
      }
      waiting.push(enter)
      signal.addEventListener("abort", give, { once: true })
    })
}
