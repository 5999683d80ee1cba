/**
 * A stretch of a longer video, and whether its packets can be copied out of it: decoding has to be able to start at
 * its first one, and no picture in it may refer to one outside.
 */
import type { Entry } from "./entry.ts"

export interface Stretch {
  /** Seconds from the start of the file at which its first picture is shown. */
  readonly start: number
  /** Seconds at which the first picture after it is shown. */
  readonly end: number
}

/** A stretch as a video of its own. */
export interface Clip {
  /** The bytes of its file; absent where the file that it comes from is nothing but the stretch. */
  readonly data?: Uint8Array
  /** Pictures that it has; without any, `data` is empty. */
  readonly pictures: number
}

/** More pictures than any encoder reorders: a search for what comes before one begins this far ahead of it. */
export const MOST_REORDERED = 32

/** Clocks differ in how they round; pictures that stand closer together than this are not known to us. */
const TOLERANCE_SECONDS = 0.001

/** How far a picture may stand from where it is said to: half the time that one is shown, where that is known. */
export const toleranceOf = (rate: number): number => (rate > 0 ? 0.5 / rate : TOLERANCE_SECONDS)

/** Where a search for the stretch's first picture begins, in seconds. */
export const leadOf = ({ start }: Stretch, tolerance: number): number =>
  Math.max(0, start - Math.max(1, 2 * tolerance * MOST_REORDERED))

export const placeOf = (time: number, { start, end }: Stretch, tolerance: number): "before" | "in" | "after" =>
  time < start - tolerance ? "before" : time < end - tolerance ? "in" : "after"

/** A packet with a picture, in the order of decoding. */
export interface Placed {
  /** Seconds at which it is shown. */
  readonly time: number
  /** Seconds at which it is decoded; NaN where the file does not say. */
  readonly decoded: number
  readonly key: boolean
  /** Decoded, but never shown. */
  readonly hidden: boolean
  /** Whether decoding can start at it; asked of the first one. */
  readonly entry: () => Entry
}

/**
 * - `skip`: it is not in the stretch
 * - `take`: it is
 * - `end`: nothing that follows is
 * - `unclean`: the stretch cannot be copied
 */
export type Verdict = "skip" | "take" | "end" | "unclean"

/** Says of one packet after the other what is to be done with it. */
export const newCut = (stretch: Stretch, tolerance: number): ((packet: Placed) => Verdict) => {
  /** When the first picture of the stretch is shown. */
  let first: number | undefined
  /** A picture from after the stretch has been passed: those that follow it may refer to it. */
  let beyond = false
  return ({ time, decoded, key, hidden, entry }) => {
    if (Number.isNaN(time)) return "unclean"
    const place = placeOf(time, stretch, tolerance)
    // No picture is shown before it is decoded.
    if (place === "after" && (Number.isNaN(decoded) ? key : decoded >= stretch.end - tolerance)) return "end"
    if (place === "after") {
      beyond = true
      return "skip"
    }
    if (place === "before") return first === undefined ? "skip" : "unclean"
    if (beyond || hidden) return "unclean"
    if (first === undefined) {
      if (!key || entry() === "unclean") return "unclean"
      first = time
    }
    return time < first ? "unclean" : "take"
  }
}
