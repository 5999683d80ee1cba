import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { countsRuns, decodeCounts, encodeCounts } from "../../../src/media/mask/rle.ts"
import { IngestError } from "../../../src/model/errors.ts"

/** Ones where the runs are. */
const painted = (runs: Uint32Array, pixels: number): number[] => {
  const picture = new Array<number>(pixels).fill(0)
  for (let at = 0; at < runs.length; at += 2) picture.fill(1, runs[at], runs[at + 1] ?? pixels)
  return picture
}

describe("compressed counts", () => {
  // By hand from the rule: 5 bits a character from "0" on, 32 for more, differences from the fourth number on.
  it.each<[string, readonly number[]]>([
    ["", []],
    ["0", [0]],
    ["?", [15]],
    // 16 has the bit of the sign, so it needs a second group.
    ["`0", [16]],
    ["T1", [36]],
    ["123", [1, 2, 3]],
    // The fourth is 7: 5 more than the second. The fifth is 1: 2 less than the third.
    ["1235N", [1, 2, 3, 7, 1]],
    // 640 x 480 pixels without any object: 307,200 = 9 x 2^15 + 12 x 2^10.
    ["PP\\9", [307_200]],
  ])("reads %j as %j, and writes it", (text, counts) => {
    expect(decodeCounts(text)).toEqual(counts)
    expect(encodeCounts(counts)).toBe(text)
  })

  it("reads what it wrote, of any counts", () => {
    const counts = fc.array(fc.oneof(fc.nat(40), fc.nat(2 ** 28)), { maxLength: 50 })
    fc.assert(
      fc.property(counts, (numbers) => {
        expect(decodeCounts(encodeCounts(numbers))).toEqual(numbers)
      }),
    )
  })

  it.each([
    ["~", 'found "~" at character 0 of the counts'],
    ["00 0", 'found " " at character 2'],
    ["0a", "end in the middle of number 1"],
    ["ooooooooooooo0", 'found "o" at character 7'],
    ["漢", 'found "漢" at character 0'],
  ])("refuses %j", (text, message) => {
    expect(() => decodeCounts(text)).toThrow(IngestError)
    expect(() => decodeCounts(text)).toThrow(message)
  })

  it("is harmless whatever the text is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          countsRuns(decodeCounts(text), 10, 10)
        } catch (error) {
          expect(error).toBeInstanceOf(IngestError)
        }
      }),
    )
  })
})

describe("countsRuns", () => {
  it("gives the pixels inside, column by column", () => {
    expect(painted(countsRuns([2, 3, 1], 2, 3), 6)).toEqual([0, 0, 1, 1, 1, 0])
    expect(painted(countsRuns([0, 6], 2, 3), 6)).toEqual([1, 1, 1, 1, 1, 1])
    expect(painted(countsRuns([6], 2, 3), 6)).toEqual([0, 0, 0, 0, 0, 0])
    expect(painted(countsRuns([1, 1, 0, 2, 2], 2, 3), 6)).toEqual([0, 1, 1, 1, 0, 0])
  })

  it.each<[readonly unknown[], string]>([
    [[2, 5], "RLE: the counts run over the 6 pixels of 2 x 3 at counts[1]"],
    [[2, 1e300], "run over"],
    [[2, 3], "RLE: the counts cover 5 of the 6 pixels of 2 x 3"],
    [[], "cover 0 of the 6"],
    [[7, -1], "run over"],
    [[5, -1, 2], "RLE: expected a whole number of pixels in counts[1], found -1"],
    [[1.5, 4.5], "found 1.5"],
    [[6, null], "found null"],
    [["6"], 'found "6"'],
  ])("refuses %j", (counts, message) => {
    expect(() => countsRuns(counts, 2, 3)).toThrow(IngestError)
    expect(() => countsRuns(counts, 2, 3)).toThrow(message)
  })
})
