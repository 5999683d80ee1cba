/**
 * The rows that a query finds, as batches.
 *
 * Columns of bytes are not read with the others: the store reads far ahead, and a batch of it has a thousand rows. They
 * are fetched by row id, so many rows at a time as make a few MiB.
 */
import type { Query, TakeQuery } from "@lancedb/lancedb"
import type { RecordBatch } from "apache-arrow"
import { type Batch, sliceBatch } from "../model/batch.ts"
import { bytesColumn, type Column, numberColumn, valueAt } from "../model/column.ts"
import { type ColumnType, layoutOf, type Schema } from "../model/types.ts"
import { fromRecordBatch } from "./arrow.ts"
import type { Table } from "./database.ts"
import { recordsOf } from "./records.ts"

/** Bytes to fetch at a time. */
const FETCH_BYTES = 8 << 20
/** Rows to fetch before it is known how large they are. */
const FIRST_ROWS = 16
const MAX_ROWS = 64

export type Bytes = Uint8Array | null
/** A column whose bytes are fetched apart from the others. */
export type Heavy = readonly [name: string, type: ColumnType]

/** One column's bytes of the given rows, in their order. */
export const fetchColumn = async (table: Table, [name, { blob }]: Heavy, ids: readonly bigint[]): Promise<Bytes[]> => {
  if (blob) {
    const blobs = await table.fetchBlobs(name, ids)
    return blobs.map((bytes) => bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
  }
  const found = new Map<bigint, Bytes>()
  for await (const record of table.takeRowIds(ids).select([name]).withRowId()) {
    const column = fromRecordBatch(record).columns.get(name)
    const rowIds = record.getChild("_rowid")
    for (let row = 0; row < record.numRows; row++) {
      const value = column ? valueAt(column, row) : null
      found.set(rowIds?.get(row), value instanceof Uint8Array ? value : null)
    }
  }
  return ids.map((id) => found.get(id) ?? null)
}

/** For each row, the bytes of its blobs: the store keeps their sizes with the row. */
const blobSizes = (record: RecordBatch, blobs: readonly string[]): ((row: number) => number) => {
  const sizes = blobs.map((name) => record.getChild(name)?.getChild("size"))
  return (row) => sizes.reduce((sum, column) => sum + Number(column?.get(row) ?? 0), 0)
}

const withIds = (columns: Batch["columns"], name: string, record: RecordBatch): Batch["columns"] => {
  const ids = record.getChild("_rowid")?.toArray() as BigUint64Array
  // They stay far below the largest INT64.
  const signed = new BigInt64Array(ids.buffer as ArrayBuffer, ids.byteOffset, ids.length)
  return new Map([...columns, [name, numberColumn(signed, { name: "INT64" })]])
}

/**
 * Runs the query and yields its rows in batches with the given columns, in their order. Such columns as `_score`, which
 * are no columns of the table but come with the query, may be among them. A batch has at most a few MiB of bytes; one
 * with a larger value has only this row.
 *
 * @param rowIds the name of a column that the rows' ids come in.
 */
export async function* batchesOf(
  table: Table,
  schema: Schema,
  query: Query | TakeQuery,
  columns: readonly string[],
  rowIds?: string,
): AsyncGenerator<Batch> {
  const wanted = [...new Set(columns)]
  const heavy = wanted.flatMap((name): Heavy[] => {
    const type = schema.get(name)
    return type && layoutOf(type) === "bytes" ? [[name, type]] : []
  })
  const isHeavy = new Set(heavy.map(([name]) => name))
  const light = wanted.filter((name) => !isHeavy.has(name))
  const blobs = heavy.filter(([, { blob }]) => blob).map(([name]) => name)
  query.select([...light, ...blobs])
  // Without any column the store would not say how many rows there are.
  if (heavy.length > 0 || light.length === 0 || rowIds !== undefined) query.withRowId()
  let next = blobs.length < heavy.length ? FIRST_ROWS : MAX_ROWS
  for await (const record of heavy.length === 0 ? recordsOf(table, query) : query) {
    const { columns: read } = fromRecordBatch(record.select(light))
    const batch = { rows: record.numRows, columns: rowIds === undefined ? read : withIds(read, rowIds, record) }
    if (heavy.length === 0) {
      yield batch
      continue
    }
    const ids = [...(record.getChild("_rowid") ?? [])] as bigint[]
    const sizeOf = blobSizes(record, blobs)
    for (let start = 0; start < ids.length; ) {
      let end = start
      for (let room = FETCH_BYTES; end < Math.min(start + next, ids.length); end++) {
        room -= sizeOf(end)
        if (room < 0 && end > start) break
      }
      const fetched = new Map<string, Column>()
      let bytes = 0
      for (const [name, type] of heavy) {
        const column = bytesColumn(await fetchColumn(table, [name, type], ids.slice(start, end)), type)
        fetched.set(name, column)
        bytes += column.values.length
      }
      const piece = sliceBatch(batch, start, end)
      const ordered = [...wanted, ...(rowIds === undefined ? [] : [rowIds])].flatMap((name): [string, Column][] => {
        const column = fetched.get(name) ?? piece.columns.get(name)
        return column ? [[name, column]] : []
      })
      yield { rows: end - start, columns: new Map(ordered) }
      next = Math.max(1, Math.min(MAX_ROWS, Math.floor((FETCH_BYTES / Math.max(1, bytes)) * (end - start))))
      start = end
    }
  }
}
