/** The first rows of a table, for a person to look at: bytes are told by what they are. */
import { type Value, valueAt } from "../model/column.ts"
import { isHidden } from "../model/rows.ts"
import type { Schema } from "../model/types.ts"
import { fromRecordBatch } from "../store/arrow.ts"
import type { Table } from "../store/database.ts"
import { type At, withTableAt } from "./open.ts"
import { plainValue } from "./scan.ts"

/** What bytes are. */
export interface BytesInfo {
  /** `JPEG`, `video/mp4`, ...; null where they are nothing known. */
  readonly type: string | null
  readonly bytes: number
  /** Of a picture, in pixels, as its header has them. */
  readonly width?: number
  readonly height?: number
}

export type PeekValue = string | number | bigint | boolean | readonly number[] | readonly number[][] | BytesInfo | null
export type PeekRow = Readonly<Record<string, PeekValue>>

/** The first bytes tell what a file is. */
const HEAD_BYTES = 64 << 10

/** @param head the first bytes, or all of them. */
export const bytesInfo = async (head: Uint8Array, bytes: number): Promise<BytesInfo> => {
  if (head.length === bytes) {
    const { readImageHeader } = await import("../media/imageheader.ts")
    try {
      const { format, width, height } = readImageHeader(head)
      return { type: format, bytes, ...(width !== undefined && { width }), ...(height !== undefined && { height }) }
    } catch {
      // No picture, or a broken one: then the type alone is told, where there is one.
    }
  }
  const { fileTypeFromBuffer } = await import("file-type")
  return { type: (await fileTypeFromBuffer(head))?.mime ?? null, bytes }
}

const blobInfos = async (table: Table, column: string, ids: readonly bigint[]): Promise<(BytesInfo | null)[]> => {
  const files = await table.fetchBlobFiles(column, ids)
  return Promise.all(
    files.map(async (file) => {
      if (!file) return null
      const bytes = Number(file.size())
      const head = bytes === 0 ? new Uint8Array(0) : await file.readRange(0n, BigInt(Math.min(bytes, HEAD_BYTES)))
      return bytesInfo(head, bytes)
    }),
  )
}

/** Vectors as lists, which JSON has. */
const plainOf = (value: Value): PeekValue => {
  if (value instanceof Float32Array) return [...value]
  return Array.isArray(value) ? value.map((vector: Float32Array) => [...vector]) : (plainValue(value) as PeekValue)
}

const readFirst = async (
  table: Table,
  schema: Schema,
  columns: readonly string[],
  limit: number,
): Promise<PeekRow[]> => {
  const rows: Record<string, PeekValue>[] = []
  const blobs = columns.filter((name) => schema.get(name)?.blob)
  const others = columns.filter((name) => !blobs.includes(name))
  // Arrow's `select` is right for the first columns of a record batch only.
  const query = table
    .query()
    .select([...others, ...blobs])
    .withRowId()
    .limit(limit)
  for await (const record of query) {
    const batch = fromRecordBatch(record.select(others))
    const ids = [...(record.getChild("_rowid") ?? [])] as bigint[]
    const infos = new Map<string, (BytesInfo | null)[]>()
    for (const name of blobs) infos.set(name, await blobInfos(table, name, ids))
    for (let row = 0; row < record.numRows; row++) {
      const values: Record<string, PeekValue> = {}
      for (const name of columns) {
        const column = batch.columns.get(name)
        const value = column ? valueAt(column, row) : null
        const info = infos.get(name)?.[row]
        if (info !== undefined) values[name] = info
        else if (value instanceof Uint8Array) values[name] = await bytesInfo(value, value.length)
        else values[name] = plainOf(value)
      }
      rows.push(values)
    }
  }
  return rows
}

/**
 * The first rows of a table, without the hidden columns. Of bytes it is told what they are, how many, and the dimensions
 * of a picture; those that are stored out of line are not read to their end.
 *
 * @throws {TableError} when there is no such table or version.
 */
export const peekRows = (
  uri: string,
  name: string,
  { limit, at }: { readonly limit: number; readonly at?: At },
): Promise<PeekRow[]> =>
  withTableAt(uri, name, at, async ({ table, schema }) => {
    const columns = [...schema.keys()].filter((column) => !isHidden(column))
    return limit > 0 && columns.length > 0 ? readFirst(table, schema, columns, limit) : []
  })

export const isBytesInfo = (value: unknown): value is BytesInfo =>
  typeof value === "object" && value !== null && "bytes" in value && "type" in value
