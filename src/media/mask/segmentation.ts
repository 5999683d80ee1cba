/** The `segmentation` of a COCO annotation, in each of its three forms, as runs of pixels. */
import { describeValue } from "../../model/describe.ts"
import { IngestError } from "../../model/errors.ts"
import type { Runs } from "./labels.ts"
import { MAX_COORDINATE, polygonRuns } from "./polygon.ts"
import { countsRuns, decodeCounts } from "./rle.ts"

const MIN_NUMBERS = 6

const isNumbers = (part: unknown): part is readonly number[] =>
  Array.isArray(part) && part.every((entry) => typeof entry === "number")

const checkPolygon = (part: unknown, index: number): readonly number[] => {
  if (!isNumbers(part)) {
    throw new IngestError(`polygon ${index}: expected a list of numbers x, y, x, y, ..., found ${describeValue(part)}`)
  }
  if (part.length < MIN_NUMBERS || part.length % 2 === 1) {
    throw new IngestError(`polygon ${index}: expected x and y of at least 3 points, found ${part.length} numbers`)
  }
  // NaN is not within either.
  const far = part.find((coordinate) => !(Math.abs(coordinate) <= MAX_COORDINATE))
  if (far !== undefined) {
    throw new IngestError(`polygon ${index}: expected coordinates of at most ${MAX_COORDINATE}, found ${far}`)
  }
  return part
}

/**
 * The pixels of a segmentation: the union of a list of polygons, or one RLE, compressed (a text) or not (a list).
 * Undefined where there are none: it is absent, null or an empty list. All of it is checked at once; the runs are made
 * when they are asked for, part by part, since those of many polygons take far more memory than the polygons.
 *
 * @throws {IngestError} when it is none of these, or does not fit a picture of this size.
 */
export const segmentationRuns = (segmentation: unknown, width: number, height: number): Runs | undefined => {
  if (segmentation === undefined || segmentation === null) return undefined
  if (Array.isArray(segmentation)) {
    if (segmentation.length === 0) return undefined
    const polygons = segmentation.map(checkPolygon)
    return function* () {
      for (const polygon of polygons) yield polygonRuns(polygon, width, height)
    }
  }
  const { counts, size } = Object(segmentation) as { readonly counts?: unknown; readonly size?: unknown }
  if (typeof counts !== "string" && !Array.isArray(counts)) {
    throw new IngestError(
      `segmentation: expected a list of polygons, or an RLE { counts, size }, found ${describeValue(segmentation)}`,
    )
  }
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    throw new IngestError(
      `RLE: expected the size [height, width] of the image, [${height},${width}], found ${JSON.stringify(size)?.slice(0, 40) ?? "none"}`,
    )
  }
  const runs = [countsRuns(typeof counts === "string" ? decodeCounts(counts) : counts, width, height)]
  return () => runs
}
