/**
 * Run lengths of COCO masks (cocoapi, maskApi): a picture read column by column from the left, each from the top, as
 * the lengths of runs outside, inside, outside, ... ; the first one, outside, may be 0.
 *
 * Compressed, each number is written in groups of 5 bits, lowest first, as the characters from "0" on: 32 in a group
 * says that another one follows, 16 in the last that the number is negative. From the fourth number on, what is
 * written is the difference to the number two before.
 */
import { IngestError } from "../../model/errors.ts"

const FIRST = 48
const MORE = 32
const SIGN = 16
/** Run lengths have 32 bits, and so do their differences, with a sign. */
const MAX_GROUPS = 7

const wrong = (found: string): IngestError => new IngestError(`RLE: ${found}`)

/**
 * The run lengths that a compressed text holds; they may still be negative or too many.
 *
 * @throws {IngestError} for a character that there is not, and a text that ends in the middle of a number.
 */
export const decodeCounts = (text: string): number[] => {
  const counts: number[] = []
  for (let at = 0; at < text.length; ) {
    let value = 0
    let groups = 0
    for (;;) {
      const group = text.charCodeAt(at++) - FIRST
      if (Number.isNaN(group)) throw wrong(`the counts end in the middle of number ${counts.length}`)
      if (group < 0 || group >= 2 * MORE || groups === MAX_GROUPS) {
        throw wrong(
          `found ${JSON.stringify(text[at - 1])} at character ${at - 1} of the counts, which does not belong there`,
        )
      }
      value += (group & (MORE - 1)) * 2 ** (5 * groups++)
      if (group & MORE) continue
      if (group & SIGN) value -= 2 ** (5 * groups)
      break
    }
    counts.push(counts.length > 2 ? value + (counts[counts.length - 2] ?? 0) : value)
  }
  return counts
}

/** Run lengths as a compressed text; what `decodeCounts` reads. */
export const encodeCounts = (counts: ArrayLike<number>): string => {
  let text = ""
  for (let index = 0; index < counts.length; index++) {
    let value = (counts[index] ?? 0) - (index > 2 ? (counts[index - 2] ?? 0) : 0)
    for (let more = true; more; ) {
      const group = value & (MORE - 1)
      value >>= 5
      more = group & SIGN ? value !== -1 : value !== 0
      text += String.fromCharCode(FIRST + group + (more ? MORE : 0))
    }
  }
  return text
}

/**
 * Where each inside run begins and ends, in the form of `polygonRuns`.
 *
 * @throws {IngestError} when the counts do not cover the picture exactly, or one is no whole number of at least 0.
 */
export const countsRuns = (counts: readonly unknown[], width: number, height: number): Uint32Array => {
  const pixels = width * height
  const runs = new Uint32Array(counts.length)
  let at = 0
  for (const [index, count] of counts.entries()) {
    if (typeof count !== "number" || !Number.isInteger(count) || count < 0) {
      throw wrong(`expected a whole number of pixels in counts[${index}], found ${JSON.stringify(count)}`)
    }
    at += count
    if (at > pixels) throw wrong(`the counts run over the ${pixels} pixels of ${width} x ${height} at counts[${index}]`)
    runs[index] = at
  }
  if (at !== pixels) throw wrong(`the counts cover ${at} of the ${pixels} pixels of ${width} x ${height}`)
  return runs
}
