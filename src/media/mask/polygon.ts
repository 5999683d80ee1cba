/**
 * The pixels of a polygon, exactly those that pycocotools gives (`rleFrPoly` of COCO's maskApi): a canvas fill differs
 * from it along the boundary, and a mask that differs from the reference is a wrong label.
 *
 * The rule. Vertices are put on a grid five times finer than the pixels. Each edge is walked in steps of one along its
 * longer axis, and rounded along the other. Where such a walk steps over the middle of a pixel column, from fine
 * column 5c + 2 to 5c + 3 or back, the upper of its two points is a crossing of column c, taken down to the next pixel
 * row and kept within the picture. Crossings, in column-major order, switch the inside on and off.
 *
 * The reference walks every fine step. Only one in five can be a crossing, so they are computed here directly, by the
 * same floating-point expressions; parts outside of the picture's columns cost nothing, however far they reach.
 */

import { IngestError } from "../../model/errors.ts"

/** Fine columns (and rows) of one pixel. */
const FINE = 5

/** The fine column before the middle of a pixel column. */
const MIDDLE = 2

/** Fine coordinates are 32-bit integers in the reference; beyond that it has no result to compare with. */
export const MAX_COORDINATE = 2 ** 28

/** They take 128 MiB. An outline that follows every pixel of a large picture has some ten thousand. */
const MAX_CROSSINGS = 2 ** 24

const fine = (coordinate: number): number => Math.trunc(FINE * coordinate + 0.5)

/** The pixel row of a crossing at fine row `y`, in a picture of `height` rows; `height` is below the last one. */
const rowOf = (y: number, height: number): number => Math.ceil(Math.min(Math.max((y + 0.5) / FINE - 0.5, 0), height))

/** The first and last pixel column whose middle lies between the fine columns `left` and `right`. */
const columnsBetween = (left: number, right: number, width: number): readonly [number, number] => [
  Math.max(Math.ceil((left - MIDDLE) / FINE), 0),
  Math.min(Math.floor((right - 1 - MIDDLE) / FINE), width - 1),
]

type Cross = (column: number, fineRow: number) => void

/** Crossings of an edge that is wider than it is high, from (x, y) on the left, rising `slope` rows a column. */
const crossFlat = (x: number, y: number, right: number, slope: number, width: number, cross: Cross): void => {
  const [first, last] = columnsBetween(x, right, width)
  for (let column = first; column <= last; column++) {
    const step = FINE * column + MIDDLE - x
    cross(column, Math.min(Math.trunc(y + slope * step + 0.5), Math.trunc(y + slope * (step + 1) + 0.5)))
  }
}

/** Crossings of an edge that is higher than it is wide, from (x, y) at the top, going `slope` columns a row. */
const crossSteep = (x: number, y: number, endX: number, slope: number, width: number, cross: Cross): void => {
  const [first, last] = columnsBetween(Math.min(x, endX), Math.max(x, endX), width)
  for (let column = first; column <= last; column++) {
    // The walk is right of the middle when its rounded column is at least this.
    const beyond = FINE * column + MIDDLE + 1
    const reached = (step: number): boolean => x + slope * step + 0.5 >= beyond === slope > 0
    let step = Math.ceil((beyond - 0.5 - x) / slope)
    while (!reached(step)) step++
    while (reached(step - 1)) step--
    cross(column, y + step - 1)
  }
}

/**
 * Where the inside of a polygon begins and ends, as ascending positions in the column-major picture (column * height +
 * row): begin, end, begin, end ... Pixels inside an odd number of times are inside. The last run may lack its end:
 * then it goes on to the end of the picture.
 *
 * @param polygon x0, y0, x1, y1, ... in pixels, finite and within {@link MAX_COORDINATE}; closed by itself.
 * @throws {IngestError} for a polygon whose edges cross pixel columns millions of times.
 * @example
 * ```ts
 * polygonRuns([1, 1, 3, 1, 3, 3, 1, 3], 5, 4) // [5, 7, 9, 11]: rows 1 and 2 of columns 1 and 2
 * ```
 */
export const polygonRuns = (polygon: readonly number[], width: number, height: number): Uint32Array => {
  const crossings: number[] = []
  const cross: Cross = (column, fineRow) => {
    crossings.push(column * height + rowOf(fineRow, height))
    if (crossings.length > MAX_CROSSINGS) {
      throw new IngestError(
        `a polygon of ${polygon.length / 2} points crosses more than ${MAX_CROSSINGS} pixel columns`,
      )
    }
  }
  const count = polygon.length >> 1
  for (let from = 0; from < count; from++) {
    const to = from + 1 === count ? 0 : from + 1
    let x = fine(polygon[2 * from] ?? 0)
    let y = fine(polygon[2 * from + 1] ?? 0)
    let endX = fine(polygon[2 * to] ?? 0)
    let endY = fine(polygon[2 * to + 1] ?? 0)
    const across = Math.abs(endX - x)
    const down = Math.abs(endY - y)
    if (across === 0) continue
    const flat = across >= down
    // Walked from the left, or from the top: the two directions round differently.
    if (flat ? x > endX : y > endY) [x, y, endX, endY] = [endX, endY, x, y]
    if (flat) crossFlat(x, y, endX, (endY - y) / across, width, cross)
    else crossSteep(x, y, endX, (endX - x) / down, width, cross)
  }
  return Uint32Array.from(crossings).sort()
}
