/** How fast a run goes, and how long it will take where that can be known. */
import type { Progress } from "../model/events.ts"

export interface Pace {
  /** Bytes a second, as of late; undefined while there is nothing to say. */
  readonly bytes: number | undefined
  /** For each stage, items or rows a second that it was done with, as of late. */
  readonly stages: readonly (number | undefined)[]
  /** Seconds that are left; undefined where nobody can know. */
  readonly left: number | undefined
}

/** What a run had come to at a moment, in milliseconds. */
interface Sample {
  readonly time: number
  readonly bytes: number
  /** Items that came to an end. Those that were in the table already say nothing about those that are left. */
  readonly items: number
  readonly stages: readonly number[]
}

const SAMPLE_MS = 1000
/** The speed is that of the last seconds: a few large files say nothing about the many small ones after them. */
const SPEED_MS = 10_000
/** The time that is left goes by a longer while, or it would jump. */
const ETA_MS = 60_000
/** Nothing is foretold from less than this. */
const ETA_MIN_MS = 1000

export const settledOf = ({ items }: Progress): number => items.listed - items.pending

/** Items of the listing and the normalizers, rows of all others. */
export const amountsOf = ({ items, stages }: Progress): readonly number[] =>
  stages.map(({ stage, calls, rowsOut }) => {
    if (stage === "list") return items.listed
    return stage === "normalize" ? calls : rowsOut
  })

/** Items that are still to be settled; undefined while nobody knows how many there are. */
const itemsLeft = (progress: Progress): number | undefined => {
  if (progress.listingComplete) return progress.items.pending
  return progress.total === undefined ? undefined : Math.max(progress.total - settledOf(progress), 0)
}

const secondsFor = (amount: number, done: number, milliseconds: number): number | undefined => {
  if (amount === 0) return 0
  return done > 0 ? (amount * milliseconds) / done / 1000 : undefined
}

/**
 * Many small items and one large one are left alike: both by their number and by their bytes it takes at least as long.
 * Where one of them does not move, nobody can tell.
 */
const leftOf = (progress: Progress, now: Sample, before: Sample): number | undefined => {
  const items = itemsLeft(progress)
  const time = now.time - before.time
  if (!items || time < ETA_MIN_MS) return undefined
  const byItems = secondsFor(items, now.items - before.items, time)
  const bytes = progress.listingComplete ? progress.bytesPending : 0
  const byBytes = secondsFor(bytes, now.bytes - before.bytes, time)
  return byItems === undefined || byBytes === undefined ? undefined : Math.max(byItems, byBytes)
}

/** A function that is given the progress again and again, and says how fast it is. */
export const openPace = (): ((progress: Progress) => Pace) => {
  let samples: Sample[] = []

  return (progress) => {
    const now: Sample = {
      time: performance.now(),
      bytes: progress.bytes,
      items: progress.items.done + progress.items.empty + progress.items.failed,
      stages: amountsOf(progress),
    }
    if (now.time - (samples.at(-1)?.time ?? -Infinity) >= SAMPLE_MS) {
      samples = [...samples.filter(({ time }) => now.time - time <= ETA_MS), now]
    }
    const lately = samples.find(({ time }) => now.time - time <= SPEED_MS) ?? now
    const seconds = (now.time - lately.time) / 1000
    return {
      bytes: seconds > 0 && now.bytes > 0 ? (now.bytes - lately.bytes) / seconds : undefined,
      stages: now.stages.map((amount, stage) =>
        seconds > 0 ? (amount - (lately.stages[stage] ?? 0)) / seconds : undefined,
      ),
      left: leftOf(progress, now, samples[0] ?? now),
    }
  }
}
