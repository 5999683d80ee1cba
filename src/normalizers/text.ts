/** Text files: windows of characters that overlap. */
import { isBinary, utf8Pieces } from "../media/encoding.ts"
import { type Piece, readPieces } from "../media/itemfile.ts"
import { batchOf } from "../model/batch.ts"
import { numberColumn, repeatedText, textColumn } from "../model/column.ts"
import { IngestError } from "../model/errors.ts"
import { fileId, rowId } from "../model/ids.ts"
import type { Item } from "../model/item.ts"
import { Normalizer } from "../model/normalizer.ts"
import { textWindows } from "./windows.ts"

/** How much of a large file is in memory at a time, give or take one window. */
const PIECE = 4 * 2 ** 20

function* textPieces(item: Item): Generator<Piece> {
  let first = true
  for (const piece of readPieces(item, PIECE)) {
    if (first && isBinary(piece.bytes)) {
      throw new IngestError("Expected text, found zero bytes where neither UTF-16 nor UTF-32 would have them")
    }
    first = false
    yield piece
  }
}

export const text = Normalizer.define({
  name: "text",
  description: "Texts: windows of characters that overlap, a row a window.",
  revision: 1,
  lane: "thread",
  extensions: [
    "txt",
    "text",
    "md",
    "markdown",
    "rst",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "ndjson",
    "xml",
    "html",
    "htm",
    "xhtml",
    "yaml",
    "yml",
    "toml",
    "log",
    "tex",
    "srt",
    "vtt",
  ],
  mimes: [],
  columns: { id: "TEXT", file_id: "TEXT", chunk_index: "INT32", text: "TEXT" },
  options: {
    chunk_size: {
      type: "integer",
      default: 1000,
      min: 1,
      max: 1_000_000,
      description: "Characters (Unicode code points) in one row.",
    },
    chunk_overlap: {
      type: "integer",
      default: 200,
      min: 0,
      max: 999_999,
      description: "Characters at the end of one row that the next one begins with; less than `chunk_size`.",
    },
  },
  conflict: ({ chunk_size, chunk_overlap }) =>
    Number(chunk_overlap) < Number(chunk_size)
      ? undefined
      : `chunk_overlap: expected less than chunk_size (${chunk_size}), found ${chunk_overlap}`,
  normalize: async function* (item, options, context) {
    const size = Number(options.chunk_size)
    const overlap = Number(options.chunk_overlap)
    const pieces = utf8Pieces(textPieces(item), (encoding) =>
      context.partial(`Bytes that are no valid ${encoding} were replaced by U+FFFD`),
    )
    let row = 0
    for await (const column of textWindows(pieces, size, overlap)) {
      const index = Int32Array.from({ length: column.length }, (_, at) => row + at)
      yield {
        batch: batchOf({
          id: textColumn(Array.from(index, (at) => rowId(item, at))),
          file_id: repeatedText(fileId(item), column.length),
          chunk_index: numberColumn(index, { name: "INT32" }),
          text: column,
        }),
      }
      row += column.length
      context.progress()
    }
  },
})
