/** The `segmentation` of a COCO annotation, in each of its three forms, as runs of pixels. */
import { describeValue } from "../../model/describe.ts"
import { IngestError } from "../../model/errors.ts"
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
 * The runs (see `polygonRuns`) of each part of a segmentation: a list of polygons whose union it is, or one RLE,
 * compressed (a text) or not (a list). Absent, null and an empty list are no pixels.
 *
 * @throws {IngestError} when it is none of these, or does not fit a picture of this size.
 */
export const segmentationRuns = (segmentation: unknown, width: number, height: number): readonly Uint32Array[] => {
  if (segmentation === undefined || segmentation === null) return []
  if (Array.isArray(segmentation)) {
    return segmentation.map((part, index) => polygonRuns(checkPolygon(part, index), width, height))
  }
  const { counts, size } = Object(segmentation) as { readonly counts?: unknown; readonly size?: unknown }
  if (typeof counts !== "string" && !Array.isArray(counts)) {
    throw new IngestError(
      `segmentation: expected a list of polygons, or an RLE { counts, size }, found ${describeValue(segmentation)}`,
    )
  }
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    throw new IngestError(
      `RLE: expected the size [height, width] of the image, [${height},${width}], found ${JSON.stringify(size)}`,
    )
  }
  return [countsRuns(typeof counts === "string" ? decodeCounts(counts) : counts, width, height)]
}
