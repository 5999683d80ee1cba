/**
 * DuckDB's vectors as columns. Numbers, bits of validity and lists of floats are copied as blocks, in the layout that
 * they have already; only text and bytes are visited row by row. All is copied: the memory of a chunk is DuckDB's.
 */
import type { DuckDBDataChunk } from "@duckdb/node-api"
import type duckdb from "@duckdb/node-bindings"
import { type Column, isNull } from "../model/column.ts"
import { IngestError } from "../model/errors.ts"
import { type ColumnType, formatType, layoutOf } from "../model/types.ts"
import type { Bindings } from "./duckdb.ts"

type Vector = duckdb.Vector

/** What a column of a chunk is, and what messages about it say. */
export interface VectorColumn {
  readonly name: string
  readonly type: ColumnType
  /** The row of the chunk's first value, as messages count it. */
  readonly firstRow: number
}

/** One bit a row, in words of 64; undefined when all rows have a value. */
const validOf = (bindings: Bindings, vector: Vector, rows: number): Uint8Array | undefined => {
  const words: Uint8Array | null = bindings.vector_get_validity(vector, Math.ceil(rows / 64) * 8)
  if (!words) return undefined
  const valid = new Uint8Array(words.subarray(0, (rows + 7) >>> 3))
  if (rows & 7) valid[valid.length - 1] = (valid.at(-1) ?? 0) | (0xff << (rows & 7))
  return valid.every((byte) => byte === 255) ? undefined : valid
}

const dataOf = (bindings: Bindings, vector: Vector, bytes: number): Uint8Array =>
  bindings.vector_get_data(vector, bytes)

const nullRows = (column: Column, visit: (row: number) => void): void => {
  if (column.valid) for (let row = 0; row < column.length; row++) if (isNull(column, row)) visit(row)
}

/** DuckDB: `string_t`, 16 bytes: length, then up to 12 bytes in place, or 4 of them and a pointer to all. */
const STRING = { bytes: 16, inPlace: 12, pointer: 8 }
/**
 * Texts of a vector stand in a few blocks of memory, in the order of the rows and close together, so runs of them are
 * copied out by one call: five times faster than one by one. Two texts closer than a page have only pages between them
 * that hold a part of one of them, so the bytes in between can be read.
 */
const PAGE = 4096
/** Below this, a loop copies faster than a call. */
const SHORT = 48

const strings = (bindings: Bindings, vector: Vector, rows: number, valid: Uint8Array | undefined) => {
  const data = dataOf(bindings, vector, rows * STRING.bytes)
  const words = new Uint32Array(data.buffer, data.byteOffset, rows * 4)
  const has = (row: number): boolean => !valid || ((valid[row >>> 3] ?? 0) & (1 << (row & 7))) !== 0
  const offsets = new Int32Array(rows + 1)
  let end = 0
  for (let row = 0; row < rows; row++) {
    if (has(row)) end += words[row * 4] ?? 0
    if (end > 0x7fffffff) throw new IngestError("2,048 rows of a column may hold at most 2 GiB")
    offsets[row + 1] = end
  }
  const values = new Uint8Array(end)
  const length = (row: number): number => (offsets[row + 1] ?? 0) - (offsets[row] ?? 0)
  const low = (row: number): number => words[row * 4 + 2] ?? 0
  const high = (row: number): number => words[row * 4 + 3] ?? 0
  const put = (from: Uint8Array, at: number, row: number): void => {
    const size = length(row)
    const to = offsets[row] ?? 0
    if (size >= SHORT) values.set(from.subarray(at, at + size), to)
    else for (let i = 0; i < size; i++) values[to + i] = from[at + i] ?? 0
  }
  let row = 0
  while (row < rows) {
    if (length(row) <= STRING.inPlace) {
      put(data, row * STRING.bytes + 4, row)
      row++
      continue
    }
    // The run of texts that stand close together, with short ones, which stand elsewhere, between them.
    let first = row
    let last = row
    let ends = low(row) + length(row)
    for (let next = row + 1; next < rows; next++) {
      if (length(next) <= STRING.inPlace) continue
      const start = low(next)
      if (high(next) !== high(row) || start - ends >= PAGE || low(first) - (start + length(next)) >= PAGE) break
      if (start < low(first)) first = next
      ends = Math.max(ends, start + length(next))
      last = next
    }
    const run = bindings.get_data_from_pointer(
      data.buffer as ArrayBuffer,
      data.byteOffset + first * STRING.bytes + STRING.pointer,
      ends - low(first),
    )
    for (const start = low(first); row <= last; row++) {
      if (length(row) <= STRING.inPlace) put(data, row * STRING.bytes + 4, row)
      else put(run, low(row) - start, row)
    }
  }
  return { values, offsets }
}

/** Lists of floats: for each row where its floats begin in `values`, and how many there are. */
const lists = (bindings: Bindings, vector: Vector, rows: number, { name, firstRow }: VectorColumn) => {
  const data = dataOf(bindings, vector, rows * 16)
  const entries = new Uint32Array(data.buffer, data.byteOffset, rows * 4)
  const child = bindings.list_vector_get_child(vector)
  const size = bindings.list_vector_get_size(vector)
  const raw = dataOf(bindings, child, size * 4)
  const values = new Float32Array(raw.buffer, raw.byteOffset, size)
  const valid = validOf(bindings, child, size)
  const start = (row: number): number => entries[row * 4] ?? 0
  const length = (row: number): number => entries[row * 4 + 2] ?? 0
  const check = (row: number): void => {
    if (!valid) return
    for (let i = start(row); i < start(row) + length(row); i++) {
      if (((valid[i >>> 3] ?? 0) & (1 << (i & 7))) !== 0) continue
      throw new IngestError(
        `Column ${JSON.stringify(name)}, row ${firstRow + row}: expected a list of numbers, found null in it. Give the column the type JSON in "schema"`,
      )
    }
  }
  return { values, start, length, check }
}

const vectors = (
  bindings: Bindings,
  vector: Vector,
  rows: number,
  column: VectorColumn,
  valid?: Uint8Array,
): Column => {
  const { type, name, firstRow } = column
  const { values, start, length, check } = lists(bindings, vector, rows, column)
  const size = type.size ?? 0
  const target = new Float32Array(rows * size)
  const made: Column = { type, length: rows, values: target, ...(valid && { valid }) }
  let inPlace = !valid
  for (let row = 0; row < rows; row++) {
    if (isNull(made, row)) continue
    if (length(row) !== size) {
      throw new IngestError(
        `Column ${JSON.stringify(name)}, row ${firstRow + row}: expected ${formatType(type)}, found a list of ${length(row)} numbers. Give the column the type JSON in "schema"`,
      )
    }
    check(row)
    inPlace &&= start(row) === start(0) + row * size
  }
  if (inPlace) target.set(values.subarray(start(0), start(0) + rows * size))
  else {
    for (let row = 0; row < rows; row++) {
      if (!isNull(made, row)) target.set(values.subarray(start(row), start(row) + size), row * size)
    }
  }
  return made
}

const floatLists = (
  bindings: Bindings,
  vector: Vector,
  rows: number,
  column: VectorColumn,
  valid?: Uint8Array,
): Column => {
  const { values, start, length, check } = lists(bindings, vector, rows, column)
  const offsets = new Int32Array(rows + 1)
  const made = { type: column.type, length: rows, offsets, ...(valid && { valid }) }
  for (let row = 0; row < rows; row++) {
    const empty = valid !== undefined && ((valid[row >>> 3] ?? 0) & (1 << (row & 7))) === 0
    offsets[row + 1] = (offsets[row] ?? 0) + (empty ? 0 : length(row))
    if (!empty) check(row)
  }
  const target = new Float32Array(offsets[rows] ?? 0)
  for (let row = 0; row < rows; row++) {
    const at = offsets[row] ?? 0
    const count = (offsets[row + 1] ?? 0) - at
    if (count > 0) target.set(values.subarray(start(row), start(row) + count), at)
  }
  return { ...made, values: target }
}

const bits = (data: Uint8Array, rows: number, valid: Uint8Array | undefined): Uint8Array => {
  const packed = new Uint8Array((rows + 7) >>> 3)
  for (let row = 0; row < rows; row++) {
    if (data[row]) packed[row >>> 3] = (packed[row >>> 3] ?? 0) | (1 << (row & 7))
  }
  return valid ? packed.map((byte, index) => byte & (valid[index] ?? 0)) : packed
}

const ARRAYS = { int32: Int32Array, int64: BigInt64Array, float32: Float32Array, float64: Float64Array } as const

/** Whether the last row of a chunk has true in column `index`. */
export const endsWithTrue = (bindings: Bindings, chunk: DuckDBDataChunk, index: number): boolean =>
  dataOf(bindings, bindings.data_chunk_get_vector(chunk.chunk, index), chunk.rowCount).at(-1) === 1

/**
 * The first `rows` rows of column `index` of a chunk; the query gave it the type that the layout of `column.type` has
 * in DuckDB.
 */
export const columnOfChunk = (
  bindings: Bindings,
  chunk: DuckDBDataChunk,
  rows: number,
  index: number,
  column: VectorColumn,
): Column => {
  const { type } = column
  const vector = bindings.data_chunk_get_vector(chunk.chunk, index)
  const valid = validOf(bindings, vector, rows)
  const layout = layoutOf(type)
  switch (layout) {
    case "int32":
    case "int64":
    case "float32":
    case "float64": {
      const Typed = ARRAYS[layout]
      const copy = new Uint8Array(dataOf(bindings, vector, rows * Typed.BYTES_PER_ELEMENT))
      const made: Column = { type, length: rows, values: new Typed(copy.buffer), ...(valid && { valid }) }
      // What stands there in a row without a value is whatever was there before.
      nullRows(made, (row) => copy.fill(0, row * Typed.BYTES_PER_ELEMENT, (row + 1) * Typed.BYTES_PER_ELEMENT))
      return made
    }
    case "bits":
      return { type, length: rows, values: bits(dataOf(bindings, vector, rows), rows, valid), ...(valid && { valid }) }
    case "utf8":
    case "bytes":
      return { type, length: rows, ...strings(bindings, vector, rows, valid), ...(valid && { valid }) }
    case "vector":
      return vectors(bindings, vector, rows, column, valid)
    case "floats":
    case "vectors":
      return floatLists(bindings, vector, rows, column, valid)
  }
}
