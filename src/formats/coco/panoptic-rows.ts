/** The row of one image of a COCO panoptic dataset. This module is loaded by workers. */
import { checkPng } from "../../media/png.ts"
import { batchOf } from "../../model/batch.ts"
import { bytesColumn, int32Column, numberColumn, textColumn } from "../../model/column.ts"
import type { Code, Normalize } from "../../model/normalizer.ts"
import { type NotedFile, readTexts } from "../../readers/byte-ranges.ts"
import { categoriesText } from "./categories.ts"
import { about, readPicture, readWhole, sizeProblem } from "./pictures.ts"

/** What shapes the rows. */
export type PanopticRowOptions = { readonly thumbnails: boolean }

/** The payload of an item. */
export type PanopticPayload = {
  readonly imageId: number
  readonly filename: string
  readonly maskFilename: string
  readonly width: number
  readonly height: number
  readonly image: NotedFile
  readonly mask: NotedFile
  readonly annotations: NotedFile
  /** Where the image's annotation is in the file of annotations, and where the categories are: see `readTexts`. */
  readonly annotation: readonly number[]
  readonly categories: readonly number[]
}

/** The code that makes rows of items with a {@link PanopticPayload}. */
export const panopticCode = (options: PanopticRowOptions): Code => ({
  module: import.meta.url,
  name: "normalizePanoptic",
  options,
})

export const normalizePanoptic: Normalize = async function* (item, { thumbnails }, context) {
  const { maxBytes, partial, progress } = context
  const payload = item.payload as unknown as PanopticPayload
  const { image, mask, annotations } = payload
  const picture = await readPicture(item, image, { ...context, thumbnails: thumbnails === true })
  progress()
  const maskBytes = await about(mask.path, () => readWhole(item, mask, maxBytes))
  const maskSize = await about(mask.path, () => checkPng(maskBytes))
  for (const problem of [sizeProblem(image, picture.header, payload), sizeProblem(mask, maskSize, payload)]) {
    if (problem !== undefined) partial(problem)
  }
  const [text = ""] = readTexts(annotations, payload.annotation)
  const { segments_info } = JSON.parse(text) as { readonly segments_info: unknown }
  const batch = batchOf({
    coco_image_id: numberColumn(BigInt64Array.of(BigInt(payload.imageId)), { name: "INT64" }),
    image: bytesColumn([picture.bytes], { name: "IMAGE" }),
    mask: bytesColumn([maskBytes], { name: "SEGMENT_MASK" }),
    width: int32Column([payload.width]),
    height: int32Column([payload.height]),
    filename: textColumn([payload.filename]),
    mask_filename: textColumn([payload.maskFilename]),
    segments_info: textColumn([JSON.stringify(segments_info)], { name: "JSON" }),
    categories: textColumn([categoriesText(annotations, payload.categories)], { name: "JSON" }),
  })
  yield { batch, medium: "coco_panoptic", ...(picture.side && { side: picture.side }) }
}
