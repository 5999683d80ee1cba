/** PDF files: one row a page, with the page as a picture and as text. */

import { readItem } from "../media/itemfile.ts"
import { batchOf } from "../model/batch.ts"
import { bytesColumn, int32Column, textColumn } from "../model/column.ts"
import { messageOf } from "../model/errors.ts"
import { fileId, rowId } from "../model/ids.ts"
import { Normalizer } from "../model/normalizer.ts"

export const pdf = Normalizer.define({
  name: "pdf",
  description: "PDF files: a row a page, as a picture and as text.",
  revision: 1,
  lane: "thread",
  extensions: ["pdf"],
  mimes: ["application/pdf"],
  columns: { id: "TEXT", file_id: "TEXT", page_index: "INT32", image: "IMAGE", text: "TEXT" },
  options: {
    dpi: {
      type: "number",
      default: 150,
      min: 18,
      max: 1200,
      description: "Resolution at which pages are drawn, in pixels per inch.",
    },
    thumbnails: {
      type: "boolean",
      default: true,
      description: "Make thumbnails of 32, 64, 128 and 256 pixels of every page.",
    },
  },
  normalize: async function* (item, options, context) {
    const [{ readPages }, { pngOf }, { thumbnailBatch, thumbnailsOf }] = await Promise.all([
      import("../media/pdf/pages.ts"),
      import("../media/pdf/png.ts"),
      import("../media/thumbnails.ts"),
    ])
    const pages = readPages(() => readItem(item, context.maxBytes), {
      dpi: Number(options.dpi),
      maxBytes: context.maxBytes,
      signal: context.signal,
      progress: context.progress,
      partial: context.partial,
    })
    let row = 0
    for await (const { index, pixels, text } of pages) {
      const id = rowId(item, row++)
      const noThumbnails = (error: unknown): undefined => {
        context.partial(`page ${index + 1} has no thumbnails: ${messageOf(error)}`)
      }
      const [png, thumbnails] = await Promise.all([
        pngOf(pixels),
        options.thumbnails ? thumbnailsOf(pixels).catch(noThumbnails) : undefined,
      ])
      const batch = batchOf({
        id: textColumn([id]),
        file_id: textColumn([fileId(item)]),
        page_index: int32Column([index]),
        image: bytesColumn([png], { name: "IMAGE" }),
        text: textColumn([text]),
      })
      yield thumbnails
        ? { batch, side: { thumbnails: thumbnailBatch([{ row: 0, fileId: id, column: "image", thumbnails }]) } }
        : { batch }
    }
  },
})
