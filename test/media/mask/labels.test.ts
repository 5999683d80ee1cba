import * as fc from "fast-check"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { type MaskOrder, maskPng, type Segment } from "../../../src/media/mask/labels.ts"
import { readGreyPng } from "../../fixtures/inflate.ts"

const WIDTH = 6
const HEIGHT = 5

/** The runs of an upright rectangle, right and bottom exclusive. */
const columns = (left: number, top: number, right: number, bottom: number): Uint32Array =>
  Uint32Array.from({ length: 2 * (right - left) }, (_, i) => (left + (i >> 1)) * HEIGHT + (i % 2 ? bottom : top))

/** An upright rectangle. */
const box = (label: number, left: number, top: number, right: number, bottom: number, crowd = false): Segment => ({
  label,
  crowd,
  runs: () => [columns(left, top, right, bottom)],
})

const drawn = (segments: readonly Segment[], order: MaskOrder = "file"): string[] => {
  const { samples } = readGreyPng(maskPng(segments, order, { width: WIDTH, height: HEIGHT, depth: 8 }))
  return Array.from({ length: HEIGHT }, (_, y) => samples.slice(y * WIDTH, (y + 1) * WIDTH).join(""))
}

describe("maskPng", () => {
  it("is black without objects", () => {
    expect(drawn([])).toEqual(["000000", "000000", "000000", "000000", "000000"])
  })

  it("lays later objects over earlier ones, and all over crowds", () => {
    const segments = [box(1, 1, 1, 3, 3), box(2, 2, 2, 5, 4), box(3, 0, 0, 6, 5, true), box(4, 0, 0, 2, 1, true)]
    expect(drawn(segments)).toEqual(["443333", "311333", "312223", "332223", "333333"])
  })

  it("lays smaller objects over larger ones when told so; of equal ones, the later one is on top", () => {
    const segments = [
      box(1, 2, 2, 3, 3),
      box(2, 1, 1, 5, 4),
      box(3, 0, 0, 1, 1, true),
      box(4, 0, 0, 4, 3, true),
      box(5, 2, 3, 3, 4),
    ]
    expect(drawn(segments, "file")).toEqual(["444400", "422220", "422220", "025220", "000000"])
    expect(drawn(segments, "area")).toEqual(["344400", "422220", "421220", "025220", "000000"])
    expect(drawn([box(1, 0, 0, 2, 2), box(2, 1, 1, 3, 3)], "area")[1]).toBe("122000")
  })

  it("draws all parts of an object, and a run without its end to the last pixel", () => {
    const parts = [columns(0, 0, 1, 2), columns(0, 1, 2, 3), Uint32Array.of(28)]
    expect(drawn([{ label: 7, crowd: false, runs: () => parts }])).toEqual([
      "700000",
      "770000",
      "770000",
      "000007",
      "000007",
    ])
  })

  it("is read the same by an independent reader and by sharp, in any size and depth", async () => {
    const any = fc.record({
      width: fc.integer({ min: 1, max: 70 }),
      height: fc.integer({ min: 1, max: 70 }),
      depth: fc.constantFrom(8 as const, 16 as const),
      places: fc.array(fc.tuple(fc.nat(4900), fc.nat(300), fc.integer({ min: 1, max: 65_535 })), { maxLength: 8 }),
    })
    await fc.assert(
      fc.asyncProperty(any, async ({ width, height, depth, places }) => {
        const pixels = width * height
        const byColumn = new Array<number>(pixels).fill(0)
        const segments = places.map(([from, length, value]) => {
          const start = from % pixels
          const end = Math.min(start + length, pixels)
          const label = 1 + (value % (2 ** depth - 1))
          byColumn.fill(label, start, end)
          return { label, crowd: false, runs: () => [Uint32Array.of(start, end)] }
        })
        const expected = Array.from(
          { length: pixels },
          (_, i) => byColumn[(i % width) * height + Math.floor(i / width)],
        )
        const png = maskPng(segments, "file", { width, height, depth })
        expect(readGreyPng(png)).toEqual({ width, height, depth, samples: expected })
        const image = sharp(png)
        expect(await image.metadata()).toMatchObject({
          ...{ format: "png", width, height, channels: 1 },
          depth: depth === 8 ? "uchar" : "ushort",
        })
        const grey = image
          .toColourspace(depth === 8 ? "b-w" : "grey16")
          .raw({ depth: depth === 8 ? "uchar" : "ushort" })
        const raw = await grey.toBuffer()
        const read = depth === 8 ? raw : new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2)
        expect([...read]).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})
