/** Says that a video ends before its header says it should. */

/** Less than this is no loss worth a word: containers round durations, and tracks end at different times. */
const TOLERANCE_SECONDS = 1

/** In words, what is missing between the declared seconds and those read; undefined when nothing is. */
export const shortfallOf = (declared: number, read: number): string | undefined =>
  declared - read > TOLERANCE_SECONDS
    ? `the video ends early: its header declares ${declared.toFixed(1)} s, ${read.toFixed(1)} s could be read; the file is cut off or damaged`
    : undefined
