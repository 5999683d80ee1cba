/**
 * Columns into a table of the engine, in blocks: numbers, bits of validity and vectors as they lie in memory. Texts of
 * up to 12 bytes stand in place in the engine's layout, too; only longer ones cost a call each.
 */
import type { DuckDBAppender, DuckDBType } from "@duckdb/node-api"
import type duckdb from "@duckdb/node-bindings"
import type { Batch } from "../../model/batch.ts"
import { isSet } from "../../model/bits.ts"
import { type Column, isNull } from "../../model/column.ts"
import { type ColumnType, layoutOf } from "../../model/types.ts"
import type { Api, Bindings } from "./engine.ts"

type Vector = duckdb.Vector

/** Rows of a chunk; a multiple of 8, so that bits of validity can be copied. */
const CHUNK = 2048

/** DuckDB: `string_t`, 16 bytes: length, then up to 12 bytes in place. */
const STRING = { bytes: 16, inPlace: 12 }

/** The engine's type of a column. */
export const engineTypeOf = (api: Api, type: ColumnType): DuckDBType => {
  switch (layoutOf(type)) {
    case "int32":
      return api.INTEGER
    case "int64":
      return api.BIGINT
    case "float32":
    case "float64":
      // As in JavaScript: the engine would round what it is compared with to its width.
      return api.DOUBLE
    case "bits":
      return api.BOOLEAN
    case "utf8":
      return api.VARCHAR
    case "bytes":
      return api.BLOB
    case "vector":
      return api.ARRAY(api.FLOAT, type.size ?? 1)
    case "floats":
      return api.LIST(api.FLOAT)
    case "vectors":
      return api.LIST(api.ARRAY(api.FLOAT, type.size ?? 1))
  }
}

const copy = (bindings: Bindings, vector: Vector, values: ArrayBufferView): void => {
  if (values.byteLength === 0) return
  bindings.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, values.byteOffset, values.byteLength)
}

const copyValidity = (bindings: Bindings, vector: Vector, { valid }: Column, start: number, rows: number): void => {
  if (!valid) return
  const bits = valid.subarray(start >>> 3, (start + rows + 7) >>> 3)
  bindings.vector_ensure_validity_writable(vector)
  bindings.copy_data_to_vector_validity(vector, 0, bits.buffer as ArrayBuffer, bits.byteOffset, bits.byteLength)
}

/** `scratch` has room for the strings of a chunk. */
const strings = (
  bindings: Bindings,
  vector: Vector,
  from: Column,
  start: number,
  rows: number,
  scratch: Uint8Array,
) => {
  const values = from.values as Uint8Array
  const offsets = from.offsets ?? new Int32Array(rows + 1)
  const data = scratch.subarray(0, rows * STRING.bytes).fill(0)
  const lengths = new Uint32Array(data.buffer, data.byteOffset, rows * 4)
  const long: number[] = []
  for (let row = 0; row < rows; row++) {
    const begin = offsets[start + row] ?? 0
    const length = (offsets[start + row + 1] ?? 0) - begin
    if (length > STRING.inPlace) {
      if (!isNull(from, start + row)) long.push(row)
      continue
    }
    lengths[row * 4] = length
    const to = row * STRING.bytes + 4
    for (let i = 0; i < length; i++) data[to + i] = values[begin + i] ?? 0
  }
  copy(bindings, vector, data)
  for (const row of long) {
    const bytes = values.subarray(offsets[start + row], offsets[start + row + 1])
    bindings.vector_assign_string_element_len(vector, row, bytes)
  }
}

/** Lists of floats, or of vectors of `width` floats. */
const lists = (bindings: Bindings, vector: Vector, from: Column, start: number, rows: number, width?: number): void => {
  const offsets = from.offsets ?? new Int32Array(rows + 1)
  const first = offsets[start] ?? 0
  const size = (offsets[start + rows] ?? 0) - first
  const entries = new BigUint64Array(rows * 2)
  for (let row = 0; row < rows; row++) {
    const begin = offsets[start + row] ?? 0
    entries[row * 2] = BigInt((begin - first) / (width ?? 1))
    entries[row * 2 + 1] = BigInt(((offsets[start + row + 1] ?? 0) - begin) / (width ?? 1))
  }
  bindings.list_vector_reserve(vector, size / (width ?? 1))
  bindings.list_vector_set_size(vector, size / (width ?? 1))
  copy(bindings, vector, entries)
  const child = bindings.list_vector_get_child(vector)
  const floats = width === undefined ? child : bindings.array_vector_get_child(child)
  copy(bindings, floats, from.values.subarray(first, first + size))
}

const put = (bindings: Bindings, vector: Vector, from: Column, start: number, rows: number, scratch: Uint8Array) => {
  switch (layoutOf(from.type)) {
    case "utf8":
    case "bytes":
      strings(bindings, vector, from, start, rows, scratch)
      break
    case "floats":
      lists(bindings, vector, from, start, rows)
      break
    case "vectors":
      lists(bindings, vector, from, start, rows, from.type.size ?? 1)
      break
    case "vector": {
      const size = from.type.size ?? 1
      copy(bindings, bindings.array_vector_get_child(vector), from.values.subarray(start * size, (start + rows) * size))
      break
    }
    case "float32":
      copy(bindings, vector, Float64Array.from(from.values.subarray(start, start + rows) as Float32Array))
      break
    case "bits": {
      const bits = from.values as Uint8Array
      const data = scratch.subarray(0, rows)
      for (let row = 0; row < rows; row++) data[row] = isSet(bits, start + row) ? 1 : 0
      copy(bindings, vector, data)
      break
    }
    default:
      copy(bindings, vector, from.values.subarray(start, start + rows))
  }
  copyValidity(bindings, vector, from, start, rows)
}

/** Appends the rows of batches that have the same columns. */
export const appenderOf = (
  api: Api,
  bindings: Bindings,
  appender: DuckDBAppender,
  columns: ReadonlyMap<string, DuckDBType>,
): ((batch: Batch) => void) => {
  const types = [...columns.values()]
  const scratch = new Uint8Array(CHUNK * STRING.bytes)
  return (batch) => {
    for (let start = 0; start < batch.rows; start += CHUNK) {
      const rows = Math.min(CHUNK, batch.rows - start)
      const chunk = api.DuckDBDataChunk.create(types, rows)
      for (const [index, name] of [...columns.keys()].entries()) {
        const column = batch.columns.get(name)
        if (!column) throw new Error(`The store returned no column ${name}`)
        put(bindings, bindings.data_chunk_get_vector(chunk.chunk, index), column, start, rows, scratch)
      }
      appender.appendDataChunk(chunk)
    }
  }
}
