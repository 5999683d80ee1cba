/**
 * A column: values of one type in Arrow's layout. Columns are built once, never changed, and cross threads by
 * transfer of their buffers.
 */
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

const bitmapBytes = (rows: number): number => (rows + 7) >>> 3

const isSet = (bits: Uint8Array, index: number): boolean => (((bits[index >>> 3] ?? 0) >>> (index & 7)) & 1) === 1

const setBit = (bits: Uint8Array, index: number): void => {
  bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (1 << (index & 7))
}

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

const column = (
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
  return column(
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
  if (values.length === 1 && only) return column(type, 1, only, offsets)
  const bytes = new Uint8Array(total)
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value) bytes.set(value, offsets[row])
  }
  return column(
    type,
    values.length,
    bytes,
    offsets,
    validity(values.length, (row) => values[row] != null),
  )
}

/** A column over a typed array that is already in place: INT32, INT64, FLOAT32, FLOAT64, CLASS_LABEL, or EMBEDDING. */
export const numberColumn = (values: Exclude<Values, Uint8Array>, type: ColumnType): Column =>
  column(type, values.length / (layoutOf(type) === "vector" ? (type.size ?? 1) : 1), values)

export const int32Column = (values: readonly number[]): Column =>
  numberColumn(Int32Array.from(values), { name: "INT32" })

export const float64Column = (values: readonly number[]): Column =>
  numberColumn(Float64Array.from(values), { name: "FLOAT64" })

/** A BOOL column; null and undefined are nulls. */
export const boolColumn = (values: readonly (boolean | null | undefined)[]): Column => {
  const bits = new Uint8Array(bitmapBytes(values.length))
  for (let row = 0; row < values.length; row++) if (values[row]) setBit(bits, row)
  return column(
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
  return column(
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
  return column(
    type,
    vectors.length,
    values,
    undefined,
    validity(vectors.length, (row) => vectors[row] != null),
  )
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
  return column({ name: "TEXT" }, rows, values, offsets)
}

const NEW_VALUES: Readonly<Record<Layout, (size: number) => Values>> = {
  int32: (size) => new Int32Array(size),
  int64: (size) => new BigInt64Array(size),
  float32: (size) => new Float32Array(size),
  float64: (size) => new Float64Array(size),
  bits: (size) => new Uint8Array(size),
  utf8: (size) => new Uint8Array(size),
  bytes: (size) => new Uint8Array(size),
  vector: (size) => new Float32Array(size),
  floats: (size) => new Float32Array(size),
}

const hasOffsets = (layout: Layout): boolean => layout === "utf8" || layout === "bytes" || layout === "floats"

/** A column of nulls. */
export const nullColumn = (type: ColumnType, rows: number): Column => {
  const layout = layoutOf(type)
  const size = hasOffsets(layout) ? 0 : layout === "bits" ? bitmapBytes(rows) : rows * (type.size ?? 1)
  return column(
    type,
    rows,
    NEW_VALUES[layout](size),
    hasOffsets(layout) ? new Int32Array(rows + 1) : undefined,
    new Uint8Array(bitmapBytes(rows)),
  )
}

const copyBits = (from: Uint8Array, start: number, count: number, to: Uint8Array, at: number): void => {
  if (((start | at) & 7) === 0) {
    const whole = count >>> 3
    to.set(from.subarray(start >>> 3, (start >>> 3) + whole), at >>> 3)
    for (let i = whole << 3; i < count; i++) if (isSet(from, start + i)) setBit(to, at + i)
    return
  }
  for (let i = 0; i < count; i++) if (isSet(from, start + i)) setBit(to, at + i)
}

/** Typed arrays of one kind only meet their own kind here; TypeScript cannot see that through the union. */
const copyValues = (from: Values, to: Values, at: number): void => (to as Uint8Array).set(from as Uint8Array, at)

/** Rows `start` to `end` (exclusive). Shares memory with `from` where the layout allows. */
export const sliceColumn = (from: Column, start: number, end: number): Column => {
  const rows = end - start
  const layout = layoutOf(from.type)
  const bits = (source: Uint8Array): Uint8Array => {
    const target = new Uint8Array(bitmapBytes(rows))
    copyBits(source, start, rows, target, 0)
    return target
  }
  const valid = from.valid && bits(from.valid)
  if (layout === "bits") return column(from.type, rows, bits(from.values as Uint8Array), undefined, valid)
  if (from.offsets) {
    const first = from.offsets[start] ?? 0
    const offsets = from.offsets.slice(start, end + 1)
    if (first > 0) for (let i = 0; i < offsets.length; i++) offsets[i] = (offsets[i] ?? 0) - first
    return column(from.type, rows, from.values.subarray(first, first + (offsets[rows] ?? 0)), offsets, valid)
  }
  const width = layout === "vector" ? (from.type.size ?? 1) : 1
  return column(from.type, rows, from.values.subarray(start * width, end * width), undefined, valid)
}

/** The rows of all columns, one after the other. All have the first one's type. */
export const concatColumns = (columns: readonly Column[]): Column => {
  const [first] = columns
  if (!first) throw new RangeError("concatColumns needs a column")
  if (columns.length === 1) return first
  const layout = layoutOf(first.type)
  let rows = 0
  let size = 0
  for (const part of columns) {
    rows += part.length
    size += part.offsets ? (part.offsets[part.length] ?? 0) : part.values.length
  }
  const values = NEW_VALUES[layout](layout === "bits" ? bitmapBytes(rows) : size)
  const offsets = first.offsets ? new Int32Array(rows + 1) : undefined
  const valid = columns.some((part) => part.valid) ? new Uint8Array(bitmapBytes(rows)) : undefined
  let row = 0
  let position = 0
  for (const part of columns) {
    if (valid) {
      if (part.valid) copyBits(part.valid, 0, part.length, valid, row)
      else for (let i = 0; i < part.length; i++) setBit(valid, row + i)
    }
    if (layout === "bits") {
      copyBits(part.values as Uint8Array, 0, part.length, values as Uint8Array, row)
    } else if (offsets && part.offsets) {
      const used = part.offsets[part.length] ?? 0
      copyValues(part.values.subarray(0, used), values, position)
      for (let i = 1; i <= part.length; i++) offsets[row + i] = position + (part.offsets[i] ?? 0)
      position += used
    } else {
      copyValues(part.values, values, position)
      position += part.values.length
    }
    row += part.length
  }
  return column(first.type, rows, values, offsets, valid)
}

/** Bytes of memory that the rows of a column take. */
export const columnBytes = (from: Column): number =>
  from.values.byteLength + (from.offsets?.byteLength ?? 0) + (from.valid?.byteLength ?? 0)

/** A value as JavaScript has it. Bytes and vectors are views: copy what has to outlive the column. */
export type Value = string | number | bigint | boolean | Uint8Array | Float32Array | null

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
    default:
      return values[row] ?? null
  }
}
