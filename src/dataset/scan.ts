/** The rows that a query finds, as plain objects. */
import type { Query } from "@lancedb/lancedb"
import { type Value, valueAt } from "../model/column.ts"
import type { Schema } from "../model/types.ts"
import type { Table } from "../store/database.ts"
import { batchesOf } from "../store/scan.ts"

export { batchesOf }

/** Numbers are bigints only where they would not be exact otherwise; vectors and bytes are typed arrays. */
export type Row = Readonly<Record<string, Value>>

/** A bigint only where a number would not be exact. */
export const cell = (value: Value): Value =>
  typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value

/** As {@link batchesOf}, one object a row. */
export async function* rowsOf(
  table: Table,
  schema: Schema,
  query: Query,
  columns: readonly string[],
): AsyncGenerator<Row> {
  const wanted = [...new Set(columns)]
  for await (const batch of batchesOf(table, schema, query, wanted)) {
    for (let row = 0; row < batch.rows; row++) {
      yield Object.fromEntries(
        wanted.map((name) => {
          const column = batch.columns.get(name)
          return [name, column ? cell(valueAt(column, row)) : null]
        }),
      )
    }
  }
}
