/** The rows that a query finds, as plain objects. */
import type { Query } from "@lancedb/lancedb"
import { type Value, valueAt } from "../model/column.ts"
import { layoutOf, type Schema } from "../model/types.ts"
import { fromRecordBatch } from "../store/arrow.ts"
import type { Table } from "../store/database.ts"
import { type Bytes, batchesOf, fetchColumn, type Heavy } from "../store/scan.ts"

/** Numbers are bigints only where they would not be exact otherwise; vectors and bytes are typed arrays. */
export type Row = Readonly<Record<string, Value>>

/** Rows to fetch at a time by their ids: with columns of bytes, which may be large, and without. */
const HEAVY_ROWS = 4
const LIGHT_ROWS = 1000

/** A bigint only where a number would not be exact. */
export const plainValue = (value: Value): Value =>
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
          return [name, column ? plainValue(valueAt(column, row)) : null]
        }),
      )
    }
  }
}

/** The rows of these ids, in their order. */
export async function* rowsById(
  table: Table,
  schema: Schema,
  ids: BigInt64Array,
  columns: readonly string[],
): AsyncGenerator<Row> {
  const heavy = columns.flatMap((name): Heavy[] => {
    const type = schema.get(name)
    return type && layoutOf(type) === "bytes" ? [[name, type]] : []
  })
  const light = columns.filter((name) => !heavy.some(([other]) => other === name))
  const step = heavy.length > 0 ? HEAVY_ROWS : LIGHT_ROWS
  for (let start = 0; start < ids.length; start += step) {
    const piece = [...ids.subarray(start, start + step)]
    const found = new Map<bigint, Row>()
    for await (const record of table.takeRowIds(piece).select(light).withRowId()) {
      const { columns: read } = fromRecordBatch(record)
      const rowIds = record.getChild("_rowid")
      for (let row = 0; row < record.numRows; row++) {
        const values = [...read].map(([name, column]) => [name, plainValue(valueAt(column, row))] as const)
        found.set(rowIds?.get(row), Object.fromEntries(values))
      }
    }
    const bytes: (readonly [string, Bytes[]])[] = []
    for (const one of heavy) bytes.push([one[0], await fetchColumn(table, one, piece)])
    for (const [at, id] of piece.entries()) {
      const blobs = Object.fromEntries(bytes.map(([name, values]) => [name, values[at] ?? null]))
      const row = { ...found.get(id), ...blobs }
      yield Object.fromEntries(columns.map((name) => [name, row[name] ?? null]))
    }
  }
}
