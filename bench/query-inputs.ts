/** Tables of numbers and short texts for the questions about queries. */
import { createRequire } from "node:module"
import type * as LanceDb from "@lancedb/lancedb"
import { numberColumn, textColumn } from "../src/model/column.ts"
import type { Schema } from "../src/model/types.ts"
import { toTable } from "../src/store/arrow.ts"

export const lancedb = createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb

const SCHEMA: Schema = new Map([
  ["label", { name: "TEXT" }],
  ["id", { name: "INT64" }],
  ["score", { name: "FLOAT64" }],
])
const PART = 200_000

/** `label` has 100 values, `id` counts, `score` is a sine. */
export const writeNumbers = async (folder: string, rows: number): Promise<void> => {
  const db = await lancedb.connect(folder)
  const labels = textColumn(Array.from({ length: PART }, (_, row) => `label ${row % 100}`))
  let table: LanceDb.Table | undefined
  for (let start = 0; start < rows; start += PART) {
    const part = Math.min(PART, rows - start)
    const batch = {
      rows: part,
      columns: new Map([
        ["label", labels],
        [
          "id",
          numberColumn(
            BigInt64Array.from({ length: part }, (_, row) => BigInt(start + row)),
            { name: "INT64" },
          ),
        ],
        [
          "score",
          numberColumn(
            Float64Array.from({ length: part }, (_, row) => Math.sin(start + row)),
            { name: "FLOAT64" },
          ),
        ],
      ]),
    }
    const made = toTable(SCHEMA, [batch])
    if (table) await table.add(made)
    else table = await db.createTable("numbers", made)
  }
}
