/** How many bytes the values of each column have, before the store compresses them; found out from a few rows. */
import type { RecordBatch } from "apache-arrow"
import { type Column, isNull } from "../model/column.ts"
import { type ColumnType, layoutOf, type Schema } from "../model/types.ts"
import { fromRecordBatch } from "../store/arrow.ts"
import type { Table } from "../store/database.ts"

export interface ColumnBytes {
  /** Null where none of the rows that were looked at has a value. */
  readonly bytes: number | null
  /** Counted in some of the rows only, and taken to be like that in the others. */
  readonly estimated: boolean
}

/** Rows that are looked at, spread evenly: of texts and of bytes out of line, and of bytes beside the others. */
const LIGHT_ROWS = 1000
const HEAVY_ROWS = 128

/** Bytes that each row takes; undefined where they differ. */
const fixedWidth = (type: ColumnType): number | undefined => {
  switch (layoutOf(type)) {
    case "int32":
    case "float32":
      return 4
    case "int64":
    case "float64":
      return 8
    case "bits":
      return 1 / 8
    case "vector":
      return 4 * (type.size ?? 1)
    default:
      return undefined
  }
}

const blobBytes = (record: RecordBatch, name: string): number => {
  let bytes = 0
  const sizes = record.getChild(name)?.getChild("size")
  for (let row = 0; row < record.numRows; row++) bytes += Number(sizes?.get(row) ?? 0)
  return bytes
}

/** What the store has put in the place of nulls does not count. */
const valueBytes = (column: Column | undefined): number => {
  let items = 0
  for (let row = 0; row < (column?.length ?? 0); row++) {
    if (column && !isNull(column, row)) items += (column.offsets?.[row + 1] ?? 0) - (column.offsets?.[row] ?? 0)
  }
  return items * (column?.values.BYTES_PER_ELEMENT ?? 0)
}

const spread = (rows: number, count: number): number[] =>
  Array.from({ length: Math.min(rows, count) }, (_, at) => Math.floor((at * rows) / Math.min(rows, count)))

/** The bytes of all columns of the open table, which has so many rows. */
export const columnBytes = async (
  table: Table,
  schema: Schema,
  rows: number,
): Promise<ReadonlyMap<string, ColumnBytes>> => {
  const found = new Map<string, ColumnBytes>()
  const sample = async (columns: readonly (readonly [string, ColumnType])[], count: number): Promise<void> => {
    if (columns.length === 0) return
    const taken = spread(rows, count)
    const blobs = columns.filter(([, { blob }]) => blob).map(([name]) => name)
    const others = columns.filter(([, { blob }]) => !blob).map(([name]) => name)
    const sums = new Map(columns.map(([name]) => [name, 0]))
    const add = (name: string, bytes: number): unknown => sums.set(name, (sums.get(name) ?? 0) + bytes)
    for await (const record of taken.length > 0 ? table.takeOffsets(taken).select([...others, ...blobs]) : []) {
      const batch = fromRecordBatch(record.select(others))
      for (const name of others) add(name, valueBytes(batch.columns.get(name)))
      for (const name of blobs) add(name, blobBytes(record, name))
    }
    const factor = taken.length > 0 ? rows / taken.length : 0
    const estimated = taken.length < rows
    for (const [name, sum] of sums) {
      found.set(name, { bytes: estimated && sum === 0 ? null : Math.round(sum * factor), estimated })
    }
  }
  const varying: [string, ColumnType][] = []
  for (const [name, type] of schema) {
    const width = fixedWidth(type)
    if (width === undefined) varying.push([name, type])
    else found.set(name, { bytes: Math.ceil(width * rows), estimated: false })
  }
  const isHeavy = ([, type]: readonly [string, ColumnType]): boolean => layoutOf(type) === "bytes" && !type.blob
  await sample(
    varying.filter((column) => !isHeavy(column)),
    LIGHT_ROWS,
  )
  await sample(varying.filter(isHeavy), HEAVY_ROWS)
  return found
}
