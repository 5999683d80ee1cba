/** Where segments are cut: at the first chance on or after each multiple of the segment's length. */

/** Clocks of 1 ms (Matroska) put a key frame up to this much before the mark that it stands on. */
const TOLERANCE = 0.001

/** The mark after `time` (seconds); marks are counted from the file's start, so that late cuts do not add up. */
export const markAfter = (time: number, length: number): number =>
  (Math.floor((Math.max(time, 0) + TOLERANCE) / length) + 1) * length

export const reaches = (time: number, mark: number): boolean => time >= mark - TOLERANCE
