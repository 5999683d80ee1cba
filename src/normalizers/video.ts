/** Video: one row a segment of about ten seconds, with the segment's bytes and a thumbnail of its first picture. */
import { thumbnailBatch, thumbnailsOf } from "../media/thumbnails.ts"
import { batchOf } from "../model/batch.ts"
import { bytesColumn, float64Column, int32Column, textColumn } from "../model/column.ts"
import { fileId, rowId } from "../model/ids.ts"
import { Normalizer } from "../model/normalizer.ts"

const SECOND = 1000

export const video = Normalizer.define({
  name: "video",
  description: "Videos: a row a segment, cut at key frames without re-encoding.",
  revision: 1,
  lane: "process",
  extensions: ["mp4", "m4v", "mov", "avi", "mkv", "webm"],
  mimes: [
    "video/mp4",
    "video/x-m4v",
    "video/quicktime",
    "video/3gpp",
    "video/3gpp2",
    "video/vnd.avi",
    "video/x-msvideo",
    "video/matroska",
    "video/x-matroska",
    "video/webm",
    "video/mp2t",
    "video/mpeg",
    "video/MP1S",
    "video/MP2P",
    "video/x-flv",
    "video/x-ms-asf",
    "video/ogg",
  ],
  columns: {
    id: "TEXT",
    file_id: "TEXT",
    chunk_index: "INT32",
    start_time: "FLOAT64",
    end_time: "FLOAT64",
    video_data: "VIDEO",
    thumbnail: "IMAGE",
    text: "TEXT",
  },
  options: {
    segment: {
      type: "duration",
      description: "Length of a segment: each is cut at the first key frame on or after a multiple of it.",
      default: 10 * SECOND,
      min: SECOND,
    },
    thumbnails: {
      type: "boolean",
      description: "Writes thumbnails in four sizes to the side table; the column `thumbnail` is always there.",
      default: true,
    },
  },
  normalize: async function* (item, options, context) {
    const { segmentsOf } = await import("../media/video/segments.ts")
    const file = fileId(item)
    let index = 0
    for await (const segment of segmentsOf(item.uri, Number(options.segment) / SECOND, context)) {
      const id = rowId(item, index)
      const thumbnails = segment.picture ? await thumbnailsOf(segment.picture) : []
      const batch = batchOf({
        id: textColumn([id]),
        file_id: textColumn([file]),
        chunk_index: int32Column([index]),
        start_time: float64Column([segment.start]),
        end_time: float64Column([segment.end]),
        video_data: bytesColumn([segment.data], { name: "VIDEO", blob: true }),
        thumbnail: bytesColumn([thumbnails.at(-1)?.content], { name: "IMAGE" }),
        text: textColumn([""]),
      })
      const side =
        options.thumbnails && thumbnails.length > 0
          ? { thumbnails: thumbnailBatch([{ row: 0, fileId: id, column: "thumbnail", thumbnails }]) }
          : undefined
      yield { batch, medium: "video", ...(side && { side }) }
      index++
    }
  },
})
