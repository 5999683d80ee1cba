/**
 * A column: values of one type in Arrow's layout. Columns are built once, never changed, and cross threads by
 * transfer of their buffers.
 */
import { bitmapBytes, isSet, setBit } from "./bits.ts"
import { IngestError } from "./errors.ts"
import { type ColumnType, formatType, type Layout, layoutOf } from "./types.ts"

export type Values = Uint8Array | Int32Array | BigInt64Array | Float32Array | Float64Array

export interface Column {
  readonly type: ColumnType
  /** Number of rows. */
  readonly length: number
  /** See {@link Layout} for what it holds in each layout. */
  readonly values: Values
  /** `length + 1` positions in `values`, for the layouts of varying width. */
  readonly offsets?: Int32Array
  /** One bit a row, least significant first; 0 is null. Absent: no nulls. */
  readonly valid?: Uint8Array
}

type Bytes = Uint8Array | null | undefined

export const isNull = (column: Column, row: number): boolean => column.valid !== undefined && !isSet(column.valid, row)

/** The bitmap of what is not null; undefined where nothing is. */
export const validity = (rows: number, present: (row: number) => boolean): Uint8Array | undefined => {
  let bits: Uint8Array | undefined
  for (let row = 0; row < rows; row++) {
    if (present(row)) continue
    bits ??= new Uint8Array(bitmapBytes(rows)).fill(255)
    bits[row >>> 3] = (bits[row >>> 3] ?? 0) & ~(1 << (row & 7))
  }
  return bits
}

/** A column of what is laid out already. */
export const newColumn = (
  type: ColumnType,
  length: number,
  values: Values,
  offsets?: Int32Array,
  valid?: Uint8Array,
): Column => ({
  type,
  length,
  values,
  ...(offsets && { offsets }),
  ...(valid && { valid }),
})

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** A TEXT (or JSON) column of strings; null and undefined are nulls. */
export const textColumn = (
  texts: readonly (string | null | undefined)[],
  type: ColumnType = { name: "TEXT" },
): Column => {
  const offsets = new Int32Array(texts.length + 1)
  // UTF-16 units need at most 3 bytes of UTF-8 each.
  const room = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0) * 3
  const bytes = new Uint8Array(room)
  let end = 0
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row]
    if (text) end += encoder.encodeInto(text, bytes.subarray(end)).written
    offsets[row + 1] = end
  }
  return newColumn(
    type,
    texts.length,
    bytes.slice(0, end),
    offsets,
    validity(texts.length, (row) => texts[row] != null),
  )
}

/** A column of byte strings (BINARY, IMAGE, VIDEO, ...). A single row is taken over without a copy. */
export const bytesColumn = (values: readonly Bytes[], type: ColumnType): Column => {
  const offsets = new Int32Array(values.length + 1)
  let total = 0
  for (let row = 0; row < values.length; row++) {
    total += values[row]?.length ?? 0
    if (total > 0x7fffffff) throw new IngestError(`A batch of ${formatType(type)} values may hold at most 2 GiB`)
    offsets[row + 1] = total
  }
  const [only] = values
  if (values.length === 1 && only) return newColumn(type, 1, only, offsets)
  const bytes = new Uint8Array(total)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value) bytes.set(value, offsets[row])
  }
  return newColumn(
    type,
    values.length,
    bytes,
    offsets,
    validity(values.length, (row) => values[row] != null),
  )
}

/** A column over a typed array that is already in place: INT32, INT64, FLOAT32, FLOAT64, CLASS_LABEL, or EMBEDDING. */
export const numberColumn = (values: Exclude<Values, Uint8Array>, type: ColumnType): Column =>
  newColumn(type, values.length / (layoutOf(type) === "vector" ? (type.size ?? 1) : 1), values)

export const int32Column = (values: readonly number[]): Column =>
  numberColumn(Int32Array.from(values), { name: "INT32" })

export const float64Column = (values: readonly number[]): Column =>
  numberColumn(Float64Array.from(values), { name: "FLOAT64" })

/** A BOOL column; null and undefined are nulls. */
export const boolColumn = (values: readonly (boolean | null | undefined)[]): Column => {
  const bits = new Uint8Array(bitmapBytes(values.length))
  for (let row = 0; row < values.length; row++) if (values[row]) setBit(bits, row)
  return newColumn(
    { name: "BOOL" },
    values.length,
    bits,
    undefined,
    validity(values.length, (row) => values[row] != null),
  )
}

/** A column of variable-length float lists (BOUNDING_BOX, POINT); null and undefined are nulls. */
export const floatsColumn = (lists: readonly (ArrayLike<number> | null | undefined)[], type: ColumnType): Column => {
  const offsets = new Int32Array(lists.length + 1)
  for (let row = 0; row < lists.length; row++) offsets[row + 1] = (offsets[row] ?? 0) + (lists[row]?.length ?? 0)
  const values = new Float32Array(offsets[lists.length] ?? 0)
  for (let row = 0; row < lists.length; row++) {
    const list = lists[row]
    if (list) values.set(list, offsets[row])
  }
  return newColumn(
    type,
    lists.length,
    values,
    offsets,
    validity(lists.length, (row) => lists[row] != null),
  )
}

/** An EMBEDDING column from one vector a row; null and undefined are nulls. All vectors have `type.size` floats. */
export const vectorColumn = (
  vectors: readonly (ArrayLike<number> | null | undefined)[],
  type: ColumnType & { readonly size: number },
): Column => {
  const values = new Float32Array(vectors.length * type.size)
  for (let row = 0; row < vectors.length; row++) {
    const vector = vectors[row]
    if (vector) values.set(vector, row * type.size)
  }
  return newColumn(
    type,
    vectors.length,
    values,
    undefined,
    validity(vectors.length, (row) => vectors[row] != null),
  )
}

/** A MULTI_EMBEDDING column from a list of vectors a row; null and undefined are nulls. All have `type.size` floats. */
export const vectorsColumn = (
  lists: readonly (readonly ArrayLike<number>[] | null | undefined)[],
  type: ColumnType & { readonly size: number },
): Column => {
  const offsets = new Int32Array(lists.length + 1)
  for (let row = 0; row < lists.length; row++) {
    offsets[row + 1] = (offsets[row] ?? 0) + (lists[row]?.length ?? 0) * type.size
  }
  const values = new Float32Array(offsets[lists.length] ?? 0)
  for (let row = 0; row < lists.length; row++) {
    let at = offsets[row] ?? 0
    for (const vector of lists[row] ?? []) {
      values.set(vector, at)
      at += type.size
    }
  }
  const valid = validity(lists.length, (row) => lists[row] != null)
  return newColumn(type, lists.length, values, offsets, valid)
}

/** The same text in every row, encoded once. */
export const repeatedText = (text: string, rows: number): Column => {
  const bytes = encoder.encode(text)
  const values = new Uint8Array(bytes.length * rows)
  const offsets = new Int32Array(rows + 1)
  for (let row = 0; row < rows; row++) {
    values.set(bytes, row * bytes.length)
    offsets[row + 1] = (row + 1) * bytes.length
  }
  return newColumn({ name: "TEXT" }, rows, values, offsets)
}

/** An empty place for so many values, by layout. */
export const NEW_VALUES: Readonly<Record<Layout, (size: number) => Values>> = {
  int32: (size) => new Int32Array(size),
  int64: (size) => new BigInt64Array(size),
  float32: (size) => new Float32Array(size),
  float64: (size) => new Float64Array(size),
  bits: (size) => new Uint8Array(size),
  utf8: (size) => new Uint8Array(size),
  bytes: (size) => new Uint8Array(size),
  vector: (size) => new Float32Array(size),
  floats: (size) => new Float32Array(size),
  vectors: (size) => new Float32Array(size),
}

const hasOffsets = (layout: Layout): boolean =>
  layout === "utf8" || layout === "bytes" || layout === "floats" || layout === "vectors"

/** A column of nulls. */
export const nullColumn = (type: ColumnType, rows: number): Column => {
  const layout = layoutOf(type)
  const size = hasOffsets(layout) ? 0 : layout === "bits" ? bitmapBytes(rows) : rows * (type.size ?? 1)
  return newColumn(
    type,
    rows,
    NEW_VALUES[layout](size),
    hasOffsets(layout) ? new Int32Array(rows + 1) : undefined,
    new Uint8Array(bitmapBytes(rows)),
  )
}

/** Bytes of memory that the rows of a column take. */
export const columnBytes = (from: Column): number =>
  from.values.byteLength + (from.offsets?.byteLength ?? 0) + (from.valid?.byteLength ?? 0)

/** A value as JavaScript has it. Bytes and vectors are views: copy what has to outlive the column. */
export type Value = string | number | bigint | boolean | Uint8Array | Float32Array | readonly Float32Array[] | null

export const valueAt = (from: Column, row: number): Value => {
  if (isNull(from, row)) return null
  const { values, offsets } = from
  switch (layoutOf(from.type)) {
    case "bits":
      return isSet(values as Uint8Array, row)
    case "utf8":
      return decoder.decode((values as Uint8Array).subarray(offsets?.[row], offsets?.[row + 1]))
    case "bytes":
    case "floats":
      return values.subarray(offsets?.[row], offsets?.[row + 1]) as Uint8Array | Float32Array
    case "vector": {
      const size = from.type.size ?? 1
      return (values as Float32Array).subarray(row * size, (row + 1) * size)
    }
    case "vectors": {
      const size = from.type.size ?? 1
      const start = offsets?.[row] ?? 0
      const count = ((offsets?.[row + 1] ?? 0) - start) / size
      const vectorAt = (index: number) =>
        (values as Float32Array).subarray(start + index * size, start + (index + 1) * size)
      return Array.from({ length: count }, (_, index) => vectorAt(index))
    }
    default:
      // One number a row: lists and bytes are above.
      return (values as Exclude<Values, Uint8Array>)[row] ?? null
  }
}
