import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { MAX_COORDINATE, polygonRuns } from "../../../src/media/mask/polygon.ts"
import { referencePixels } from "../../fixtures/coco-reference.ts"

/** The runs painted, one entry a pixel, column by column. */
const pixels = (polygon: readonly number[], width: number, height: number): Uint8Array => {
  const painted = new Uint8Array(width * height)
  const runs = polygonRuns(polygon, width, height)
  for (let at = 0; at < runs.length; at += 2) painted.fill(1, runs[at], runs[at + 1] ?? painted.length)
  return painted
}

/** As a picture: a text for each row. */
const drawn = (polygon: readonly number[], width: number, height: number): string[] => {
  const painted = pixels(polygon, width, height)
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (_, x) => (painted[x * height + y] ? "#" : ".")).join(""),
  )
}

describe("polygonRuns", () => {
  // Worked out by hand: vertices times five plus a half, cut off; crossings where the walk passes 5c + 2.5.
  it.each<[string, readonly number[], readonly string[]]>([
    ["a square on the grid", [1, 1, 3, 1, 3, 3, 1, 3], [".....", ".##..", ".##..", "....."]],
    ["the same the other way round", [1, 3, 3, 3, 3, 1, 1, 1], [".....", ".##..", ".##..", "....."]],
    ["a diagonal, on which a pixel is outside", [0, 0, 4, 0, 0, 4], ["###..", "##...", "#....", "....."]],
    ["less than half a column", [0.1, 0, 0.4, 0, 0.4, 4, 0.1, 4], [".....", ".....", ".....", "....."]],
    ["the middle of a column", [0.4, 0, 0.6, 0, 0.6, 4, 0.4, 4], ["#....", "#....", "#....", "#...."]],
    ["more than the picture", [-9, -9, 99, -9, 99, 99, -9, 99], ["#####", "#####", "#####", "#####"]],
    ["nothing of the picture", [6, 0, 9, 0, 9, 4, 6, 4], [".....", ".....", ".....", "....."]],
    ["what lies above of it", [0, -5, 5, -5, 5, -1, 0, -1], [".....", ".....", ".....", "....."]],
    ["a line", [0, 2, 5, 2, 5, 2], [".....", ".....", ".....", "....."]],
    ["a point", [2, 2, 2, 2, 2, 2], [".....", ".....", ".....", "....."]],
    ["a bow tie", [0, 0, 5, 4, 5, 0, 0, 4], ["#...#", "##.##", "##.##", "#...#"]],
    // Twice around the same square is outside again.
    ["a ring that runs twice", [1, 1, 3, 1, 3, 3, 1, 3, 1, 1, 3, 1, 3, 3, 1, 3], [".....", ".....", ".....", "....."]],
  ])("draws %s", (_, polygon, expected) => {
    expect(drawn(polygon, 5, 4)).toEqual(expected)
  })

  const coordinate = (size: number): fc.Arbitrary<number> =>
    fc.oneof(
      fc.double({ min: 0, max: size, noNaN: true }),
      fc.integer({ min: -2, max: size + 2 }),
      // As in the files: two digits.
      fc.integer({ min: -50, max: (size + 1) * 100 }).map((hundredths) => hundredths / 100),
      // On and beside the borders of fine columns.
      fc.integer({ min: -5, max: size * 10 + 5 }).map((tenths) => tenths / 10),
      fc.double({ min: -1000, max: 1000, noNaN: true }),
    )

  it("gives what the reference gives, for any polygon", () => {
    const side = fc.integer({ min: 1, max: 30 })
    const any = fc
      .tuple(side, side)
      .chain(([width, height]) =>
        fc.tuple(
          fc.constant(width),
          fc.constant(height),
          fc.array(fc.tuple(coordinate(width), coordinate(height)), { minLength: 1, maxLength: 12 }),
        ),
      )
    let inside = 0
    fc.assert(
      fc.property(any, ([width, height, points]) => {
        const polygon = points.flat()
        const expected = referencePixels(polygon, width, height)
        expect(pixels(polygon, width, height)).toEqual(expected)
        if (expected.includes(1)) inside++
      }),
      { numRuns: 3000 },
    )
    expect(inside).toBeGreaterThan(500)
  })

  it("gives its runs in order and within the picture, and takes no longer for polygons that reach far", () => {
    const far = MAX_COORDINATE
    const started = performance.now()
    for (const shift of [0, 0.25, 1e6, far / 2]) {
      const runs = polygonRuns([-far, -far, far, shift - far, far, far, shift - far, far], 2000, 1000)
      expect([...runs]).toEqual([...runs].sort((a, b) => a - b))
      expect(runs.at(-1)).toBeLessThanOrEqual(2_000_000)
    }
    expect(polygonRuns([-far, 10, far, 10, far, 20, -far, 20], 3, 30)).toEqual(Uint32Array.of(10, 20, 40, 50, 70, 80))
    expect(performance.now() - started).toBeLessThan(1000)
  })

  it("gives up a polygon that goes to and fro without end", () => {
    const polygon = Array.from({ length: 20_000 }, (_, i) => [i % 2 === 0 ? 0 : 2000, i / 100]).flat()
    expect(() => polygonRuns(polygon, 2000, 200)).toThrow(
      "a polygon of 20000 points crosses more than 16777216 pixel columns",
    )
  })
})
