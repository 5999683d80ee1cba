import { describe, expect, it } from "vitest"
import { encodeCounts } from "../../../src/media/mask/rle.ts"
import { segmentationRuns } from "../../../src/media/mask/segmentation.ts"
import { IngestError } from "../../../src/model/errors.ts"

const SQUARE = [1, 1, 3, 1, 3, 3, 1, 3]
/** The same in a picture of 5 x 4. */
const COUNTS = [5, 2, 2, 2, 9]

const runsOf = (segmentation: unknown): Uint32Array[] => [...(segmentationRuns(segmentation, 5, 4)?.() ?? [])]

describe("segmentationRuns", () => {
  it("reads the three forms", () => {
    const square = [Uint32Array.of(5, 7, 9, 11)]
    expect(runsOf([SQUARE])).toEqual(square)
    const [listed] = runsOf({ counts: COUNTS, size: [4, 5] })
    expect(listed?.subarray(0, 4)).toEqual(square[0])
    expect(runsOf({ counts: encodeCounts(COUNTS), size: [4, 5] })).toEqual([listed])
  })

  it("reads every part of an object", () => {
    expect(runsOf([SQUARE, SQUARE])).toHaveLength(2)
  })

  it("takes an object without a segmentation as one of no pixels", () => {
    for (const nothing of [undefined, null, []]) expect(segmentationRuns(nothing, 5, 4)).toBeUndefined()
  })

  it.each<[unknown, string]>([
    [[[1, 1, 3, 1, 3]], "polygon 0: expected x and y of at least 3 points, found 5 numbers"],
    [[SQUARE, [1, 1, 3, 1, 3, 3, 1]], "polygon 1: expected x and y of at least 3 points, found 7 numbers"],
    [[[1, 1, 3, 3]], "found 4 numbers"],
    [[[]], "found 0 numbers"],
    [[[1, 1, 3, 1, 3, 1e9]], "polygon 0: expected coordinates of at most 268435456, found 1000000000"],
    [[[1, 1, 3, 1, 3, Number.POSITIVE_INFINITY]], "found Infinity"],
    [[[1, 1, 3, 1, 3, Number.NaN]], "found NaN"],
    [
      [[1, 1, 3, 1, 3, null]],
      "polygon 0: expected a list of numbers x, y, x, y, ..., found a list of 6 values with null",
    ],
    [SQUARE, "polygon 0: expected a list of numbers x, y, x, y, ..., found 1"],
    ["polygon", 'expected a list of polygons, or an RLE { counts, size }, found the text "polygon"'],
    [{ size: [4, 5] }, "expected a list of polygons, or an RLE"],
    [{ counts: COUNTS }, "RLE: expected the size [height, width] of the image, [4,5], found none"],
    [{ counts: COUNTS, size: [5, 4] }, "[4,5], found [5,4]"],
    [{ counts: "~", size: [4, 5] }, "RLE: found"],
    [{ counts: [21], size: [4, 5] }, "RLE: the counts run over"],
  ])("refuses %j", (segmentation, message) => {
    expect(() => segmentationRuns(segmentation, 5, 4)).toThrow(IngestError)
    expect(() => segmentationRuns(segmentation, 5, 4)).toThrow(message)
  })
})
