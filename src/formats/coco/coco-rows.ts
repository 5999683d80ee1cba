/** The row of one image of a COCO detection dataset. This module is loaded by workers. */

import { type MaskOrder, type MaskShape, maskBytes, maskPng, type Segment } from "../../media/mask/labels.ts"
import { segmentationRuns } from "../../media/mask/segmentation.ts"
import { batchOf } from "../../model/batch.ts"
import { bytesColumn, type Column, floatsColumn, int32Column, numberColumn, textColumn } from "../../model/column.ts"
import { describeValue } from "../../model/describe.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { Plain } from "../../model/item.ts"
import type { Code, Normalize } from "../../model/normalizer.ts"
import { formatBytes } from "../../model/units.ts"
import { type NotedFile, readTexts } from "../../readers/byte-ranges.ts"
import { categoriesText } from "./categories.ts"
import { readPicture, sizeProblem } from "./pictures.ts"

/** What shapes the rows. */
export type CocoRowOptions = {
  readonly maskOrder: MaskOrder
  readonly boxes: boolean
  readonly keypoints: boolean
  readonly thumbnails: boolean
}

/** Annotations of an image, by where they are in their file: see `readTexts`. */
type Places = NotedFile & { readonly ranges: readonly number[] }

/** The payload of an item. */
export type CocoPayload = MaskShape & {
  readonly imageId: number
  readonly filename: string
  readonly image: NotedFile
  readonly instances: Places
  readonly captions: Places | null
  readonly categories: readonly number[]
}

/** The code that makes rows of items with a {@link CocoPayload}. */
export const cocoCode = (options: CocoRowOptions): Code => ({
  module: import.meta.url,
  name: "normalizeCoco",
  options,
})

type Annotation = Readonly<Record<string, unknown>>

const JSON_TYPE = { name: "JSON" } as const

const jsonColumn = (value: unknown): Column => textColumn([JSON.stringify(value)], JSON_TYPE)

const annotationsAt = (places: Places | null): readonly Annotation[] =>
  places ? readTexts(places, places.ranges).map((text) => JSON.parse(text) as Annotation) : []

const labelOf = ({ category_id }: Annotation, depth: 8 | 16): number => {
  const label = Number(category_id)
  if (label >= 1 && label < 2 ** depth) return label
  throw new IngestError(`category_id ${category_id} cannot be a pixel of a mask, which holds 1 to ${2 ** depth - 1}`)
}

const isCrowd = ({ iscrowd }: Annotation): boolean => iscrowd === 1 || iscrowd === true

const segmentsOf = (
  objects: readonly Annotation[],
  shape: MaskShape,
  partial: (message: string) => void,
): readonly Segment[] =>
  objects.flatMap((object) => {
    try {
      const runs = segmentationRuns(object.segmentation, shape.width, shape.height)
      return runs === undefined ? [] : [{ label: labelOf(object, shape.depth), crowd: isCrowd(object), runs }]
    } catch (error) {
      if (!(error instanceof IngestError)) throw error
      partial(`annotation ${object.id} is not in the mask: ${messageOf(error)}`)
      return []
    }
  })

/** Parsed, annotations take so many times the bytes of their text. */
const PARSED = 4

/** @throws {IngestError} when the mask or the annotations would take more memory than an item may. */
const checkMemory = ({ instances, captions, ...shape }: CocoPayload, maxBytes: number): void => {
  for (const { path, ranges } of [instances, ...(captions ? [captions] : [])]) {
    const bytes = ranges.reduce((sum, place, at) => (at % 2 === 0 ? sum - place : sum + place), 0)
    if (PARSED * bytes <= maxBytes) continue
    throw new IngestError(
      `${path}: ${ranges.length / 2} annotations of one image have ${formatBytes(bytes)}; an item may have at most ${formatBytes(maxBytes / PARSED)}`,
    )
  }
  if (maskBytes(shape) <= maxBytes) return
  throw new IngestError(
    `A mask of ${shape.width} x ${shape.height} pixels takes ${formatBytes(maskBytes(shape))}; an item may take at most ${formatBytes(maxBytes)}`,
  )
}

const KEYPOINTS = ["keypoints", "num_keypoints"] as const

const described = (object: Annotation, keypoints: boolean): Plain => {
  const { bbox = null, category_id, area = null } = object
  const kept = keypoints ? KEYPOINTS.filter((key) => key in object).map((key) => [key, object[key]]) : []
  return { bbox, category_id, area, iscrowd: isCrowd(object) ? 1 : 0, ...Object.fromEntries(kept) } as Plain
}

const NO_BOX = [Number.NaN, Number.NaN, Number.NaN, Number.NaN]

const boxOf = ({ id, bbox }: Annotation, partial: (message: string) => void): readonly number[] => {
  if (Array.isArray(bbox) && bbox.length === 4 && bbox.every((side) => typeof side === "number")) return bbox
  partial(`annotation ${id} has no box: expected a bbox of 4 numbers, found ${describeValue(bbox)}`)
  return NO_BOX
}

export const normalizeCoco: Normalize = async function* (item, rowOptions, context) {
  const { maxBytes, partial, progress } = context
  const options = rowOptions as unknown as CocoRowOptions
  const payload = item.payload as unknown as CocoPayload
  const { image, instances, captions, imageId, filename, width, height } = payload
  checkMemory(payload, maxBytes)
  const picture = await readPicture(item, image, { ...context, thumbnails: options.thumbnails })
  progress()
  const problem = sizeProblem(image, picture.header, payload)
  if (problem !== undefined) partial(problem)
  const objects = annotationsAt(instances)
  const mask = maskPng(segmentsOf(objects, payload, partial), options.maskOrder, payload)
  const batch = batchOf({
    coco_image_id: numberColumn(BigInt64Array.of(BigInt(imageId)), { name: "INT64" }),
    image: bytesColumn([picture.bytes], { name: "IMAGE" }),
    mask: bytesColumn([mask], { name: "SEGMENT_MASK" }),
    width: int32Column([width]),
    height: int32Column([height]),
    filename: textColumn([filename]),
    captions: jsonColumn(annotationsAt(captions).map(({ caption }) => caption ?? null)),
    annotations: jsonColumn(objects.map((object) => described(object, options.keypoints))),
    categories: textColumn([categoriesText(instances, payload.categories)], JSON_TYPE),
    num_objects: int32Column([objects.length]),
    ...(options.boxes && {
      boxes: floatsColumn([objects.flatMap((object) => boxOf(object, partial))], { name: "BOUNDING_BOX" }),
      class_ids: jsonColumn(objects.map(({ category_id }) => category_id)),
    }),
  })
  yield { batch, medium: "coco", ...(picture.side && { side: picture.side }) }
}
