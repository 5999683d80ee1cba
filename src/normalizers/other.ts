/** Files of any other kind: kept as they are, one row a file. */
import { basename } from "node:path"
import { readItem } from "../media/itemfile.ts"
import { batchOf } from "../model/batch.ts"
import { bytesColumn, textColumn } from "../model/column.ts"
import { fileId, rowId } from "../model/ids.ts"
import { Normalizer } from "../model/normalizer.ts"

export const other = Normalizer.define({
  name: "other",
  description: "Files of any other kind: a row a file, as they are.",
  revision: 1,
  lane: "thread",
  extensions: [],
  mimes: [],
  columns: { id: "TEXT", file_id: "TEXT", data: "BINARY", filename: "TEXT" },
  options: {},
  normalize: async function* (item, _options, context) {
    yield {
      batch: batchOf({
        id: textColumn([rowId(item, 0)]),
        file_id: textColumn([fileId(item)]),
        // Out of line: such a file can be of any size, and scans of the table should not read it.
        data: bytesColumn([readItem(item, context.maxBytes)], { name: "BINARY", blob: true }),
        filename: textColumn([basename(item.uri)]),
      }),
    }
  },
})
