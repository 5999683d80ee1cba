/** Picture files: the bytes as they are, one row a file, with thumbnails that prove the picture whole. */
import { basename } from "node:path"
import { readImageHeader } from "../media/imageheader.ts"
import { readItem } from "../media/itemfile.ts"
import { batchOf } from "../model/batch.ts"
import { bytesColumn, textColumn } from "../model/column.ts"
import { fileId, rowId } from "../model/ids.ts"
import { Normalizer } from "../model/normalizer.ts"

export const image = Normalizer.define({
  name: "image",
  description: "Pictures: a row a file, the bytes as they are.",
  revision: 1,
  lane: "thread",
  extensions: ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "avif", "svg"],
  mimes: [
    "image/jpeg",
    "image/png",
    "image/apng",
    "image/gif",
    "image/bmp",
    "image/webp",
    "image/tiff",
    "image/avif",
    "image/svg+xml",
  ],
  columns: { id: "TEXT", file_id: "TEXT", image: "IMAGE", filename: "TEXT", text: "TEXT" },
  options: {
    thumbnails: {
      type: "boolean",
      default: true,
      description:
        "Make thumbnails of 32, 64, 128 and 256 pixels, decoding the picture. Without, only its header and its end are checked.",
    },
  },
  normalize: async function* (item, options, context) {
    const bytes = readItem(item, context.maxBytes)
    const id = rowId(item, 0)
    const batch = batchOf({
      id: textColumn([id]),
      file_id: textColumn([fileId(item)]),
      image: bytesColumn([bytes], { name: "IMAGE" }),
      filename: textColumn([basename(item.uri)]),
      text: textColumn([""]),
    })
    if (!options.thumbnails) {
      readImageHeader(bytes)
      yield { batch }
      return
    }
    const { thumbnailBatch, thumbnailsOf } = await import("../media/thumbnails.ts")
    // Files without the signature of another format come here in a process that may be killed: see route.ts.
    const thumbnails = await thumbnailsOf(bytes, { svg: true, lane: context.lane })
    yield { batch, side: { thumbnails: thumbnailBatch([{ row: 0, fileId: id, column: "image", thumbnails }]) } }
  },
})
