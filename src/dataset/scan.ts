/**
 * The rows that a query finds, as plain objects.
 *
 * Columns of bytes are not read with the others: the store reads far ahead, and a batch of it has a thousand rows. They
 * are fetched by row id, so many rows at a time as make a few MiB.
 */
import type { Query } from "@lancedb/lancedb"
import type { Batch } from "../model/batch.ts"
import { type Value, valueAt } from "../model/column.ts"
import { layoutOf, type Schema } from "../model/types.ts"
import { fromRecordBatch } from "../store/arrow.ts"
import type { Table } from "../store/database.ts"

/** Numbers are bigints only where they would not be exact otherwise; vectors and bytes are typed arrays. */
export type Row = Readonly<Record<string, Value>>

/** Bytes to fetch at a time, as far as the rows before tell how large rows are. */
const FETCH_BYTES = 8 << 20
const FIRST_ROWS = 16
const MAX_ROWS = 64

const cell = (value: Value): Value =>
  typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value

const cellAt = (batch: Batch, name: string, row: number): Value => {
  const column = batch.columns.get(name)
  return column ? cell(valueAt(column, row)) : null
}

type Bytes = Uint8Array | null

/** One column's bytes of the given rows, in their order. */
const fetchColumn = async (table: Table, name: string, blob: boolean, ids: readonly bigint[]): Promise<Bytes[]> => {
  if (blob) {
    const blobs = await table.fetchBlobs(name, ids)
    return blobs.map((bytes) => bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
  }
  const found = new Map<bigint, Bytes>()
  for await (const record of table.takeRowIds(ids).select([name]).withRowId()) {
    const batch = fromRecordBatch(record)
    const rowIds = record.getChild("_rowid")
    for (let row = 0; row < batch.rows; row++) {
      const value = cellAt(batch, name, row)
      found.set(rowIds?.get(row), value instanceof Uint8Array ? value : null)
    }
  }
  return ids.map((id) => found.get(id) ?? null)
}

/**
 * Runs the query and yields its rows with the given columns, in their order. Such columns as `_score`, which are no
 * columns of the table but come with the query, may be among them.
 */
export async function* rowsOf(
  table: Table,
  schema: Schema,
  query: Query,
  columns: readonly string[],
): AsyncGenerator<Row> {
  const isHeavy = (name: string): boolean => {
    const type = schema.get(name)
    return type !== undefined && layoutOf(type) === "bytes"
  }
  const wanted = [...new Set(columns)]
  const heavy = wanted.filter(isHeavy)
  const light = wanted.filter((name) => !isHeavy(name))
  query.select(light)
  // Without any column the store would not say how many rows there are.
  if (heavy.length > 0 || light.length === 0) query.withRowId()
  let next = FIRST_ROWS
  for await (const record of query) {
    const batch = fromRecordBatch(record)
    const ids = [...(record.getChild("_rowid") ?? [])] as bigint[]
    for (let start = 0; start < batch.rows; ) {
      const end = heavy.length > 0 ? Math.min(start + next, batch.rows) : batch.rows
      const fetched = new Map<string, Bytes[]>()
      let bytes = 0
      for (const name of heavy) {
        const values = await fetchColumn(table, name, schema.get(name)?.blob === true, ids.slice(start, end))
        for (const value of values) bytes += value?.length ?? 0
        fetched.set(name, values)
      }
      for (let row = start; row < end; row++) {
        const entries = wanted.map((name) => {
          const values = fetched.get(name)
          return [name, values ? (values[row - start] ?? null) : cellAt(batch, name, row)]
        })
        yield Object.fromEntries(entries)
      }
      next = Math.max(1, Math.min(MAX_ROWS, Math.floor((FETCH_BYTES / Math.max(1, bytes)) * (end - start))))
      start = end
    }
  }
}
