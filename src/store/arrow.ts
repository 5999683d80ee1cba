/**
 * Columns to Arrow and back. Nothing is copied on the way in, except for the 64-bit offsets that blobs need.
 *
 * The Arrow module has to be the very instance that the store uses (it is CommonJS and checks with `instanceof`), so
 * it is required rather than imported, and Arrow objects never leave `store` and its users.
 */
import { createRequire } from "node:module"
import type * as Arrow from "apache-arrow"
import type { Batch } from "../model/batch.ts"
import { type Column, nullColumn, type Values } from "../model/column.ts"
import { TableError } from "../model/errors.ts"
import { type ColumnType, formatType, layoutOf, parseType, type Schema } from "../model/types.ts"

export const arrow = createRequire(import.meta.url)("apache-arrow") as typeof Arrow

/** Field metadata under which a column's Sluice type is kept. */
const TYPE_KEY = "sluice:type"
/** The same for the names of its classes: a JSON list. */
const NAMES_KEY = "sluice:names"
const BLOB_EXTENSION = ["ARROW:extension:name", "lance.blob.v2"] as const

const float32 = new arrow.Field("item", new arrow.Float32(), true)

const blobStruct = new arrow.Struct<{ data: Arrow.LargeBinary; uri: Arrow.Utf8 }>([
  new arrow.Field("data", new arrow.LargeBinary(), true),
  new arrow.Field("uri", new arrow.Utf8(), true),
])

const arrowType = (type: ColumnType): Arrow.DataType => {
  if (type.blob) return blobStruct
  switch (layoutOf(type)) {
    case "int32":
      return new arrow.Int32()
    case "int64":
      return new arrow.Int64()
    case "float32":
      return new arrow.Float32()
    case "float64":
      return new arrow.Float64()
    case "bits":
      return new arrow.Bool()
    case "utf8":
      return new arrow.Utf8()
    case "bytes":
      return new arrow.Binary()
    case "vector":
      return new arrow.FixedSizeList(type.size ?? 1, float32)
    case "floats":
      return new arrow.List(float32)
    case "vectors":
      return new arrow.List(new arrow.Field("item", new arrow.FixedSizeList(type.size ?? 1, float32), true))
  }
}

export const toField = (name: string, type: ColumnType): Arrow.Field =>
  new arrow.Field(
    name,
    arrowType(type),
    true,
    new Map([
      [TYPE_KEY, formatType(type)],
      ...(type.names ? ([[NAMES_KEY, JSON.stringify(type.names)]] as const) : []),
      ...(type.blob ? [BLOB_EXTENSION] : []),
    ]),
  )

/** The type of a stored field; tables that others wrote have no type in their metadata, so it is told from Arrow's. */
const fromField = (field: Arrow.Field): ColumnType | undefined => {
  const blob = field.metadata.get(BLOB_EXTENSION[0]) === BLOB_EXTENSION[1]
  const named = field.metadata.get(TYPE_KEY)
  if (named !== undefined) {
    const names = field.metadata.get(NAMES_KEY)
    return {
      ...parseType(named, field.name),
      ...(blob && { blob }),
      ...(names !== undefined && { names: JSON.parse(names) as string[] }),
    }
  }
  if (blob) return { name: "BINARY", blob }
  const { type } = field
  if (arrow.DataType.isUtf8(type)) return { name: "TEXT" }
  if (arrow.DataType.isInt(type) && type.isSigned && type.bitWidth === 32) return { name: "INT32" }
  if (arrow.DataType.isInt(type) && type.isSigned && type.bitWidth === 64) return { name: "INT64" }
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.SINGLE) return { name: "FLOAT32" }
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.DOUBLE) return { name: "FLOAT64" }
  if (arrow.DataType.isBool(type)) return { name: "BOOL" }
  if (arrow.DataType.isBinary(type)) return { name: "BINARY" }
  return undefined
}

/** The schema of a stored table, hidden columns included. Columns of types that Sluice has not are left out. */
export const fromSchema = (schema: Arrow.Schema): Schema => {
  const types = new Map<string, ColumnType>()
  for (const field of schema.fields) {
    const type = fromField(field)
    if (type) types.set(field.name, type)
  }
  return types
}

/**
 * Arrow's writer takes neighbouring buffers for one where they lie on the same memory, also when they are the same or
 * overlap, and then bytes are missing from the file (`collapseContiguousByteRanges` in apache-arrow 18). So no two
 * arrays of a record batch may share an ArrayBuffer: the first keeps it, the others are copied.
 */
const unshared = (): (<A extends Values>(values: A) => A) => {
  const taken = new Set<ArrayBufferLike>()
  return (values) => {
    if (!taken.has(values.buffer)) {
      taken.add(values.buffer)
      return values
    }
    // The `slice` of a Node Buffer does not copy.
    return (values instanceof Uint8Array ? new Uint8Array(values) : values.slice()) as typeof values
  }
}

/** The column on memory that no other column of the record batch has. */
const alone = (column: Column, own: ReturnType<typeof unshared>): Column => ({
  ...column,
  values: own(column.values),
  ...(column.offsets && { offsets: own(column.offsets) }),
  ...(column.valid && { valid: own(column.valid) }),
})

const nulls = (column: Column): { readonly nullBitmap?: Uint8Array; readonly nullCount: number } =>
  column.valid ? { nullBitmap: column.valid, nullCount: -1 } : { nullCount: 0 }

const blobData = (column: Column): Arrow.Data => {
  const { length } = column
  const offsets = BigInt64Array.from(column.offsets ?? [0], BigInt)
  const valid = column.valid && { valid: new Uint8Array(column.valid) }
  return arrow.makeData({
    type: blobStruct,
    length,
    ...nulls(column),
    children: [
      arrow.makeData({
        type: new arrow.LargeBinary(),
        length,
        ...nulls({ ...column, ...valid }),
        valueOffsets: offsets,
        data: column.values as Uint8Array,
      }),
      arrow.makeData({
        type: new arrow.Utf8(),
        length,
        nullCount: length,
        nullBitmap: new Uint8Array((length + 7) >>> 3),
        valueOffsets: new Int32Array(length + 1),
        data: new Uint8Array(0),
      }),
    ],
  })
}

/**
 * Where all bits are null, Arrow's writer leaves their buffer out, which the store refuses
 * (https://github.com/apache/arrow-js/issues/68). As bytes of the same length and nulls the buffer is written.
 */
const bitsData = (column: Column): Arrow.Data => {
  const { length } = column
  const data = arrow.makeData({ type: new arrow.Bool(), length, ...nulls(column), data: column.values as Uint8Array })
  if (data.nullCount < length) return data
  return arrow.makeData({ type: new arrow.Uint8(), length, ...nulls(column), data: new Uint8Array(length) })
}

/** Offsets count vectors there, and floats here. */
const scaleOffsets = (offsets: Int32Array | undefined, scale: (offset: number) => number): Int32Array =>
  Int32Array.from(offsets ?? [0], scale)

const vectorsData = (column: Column): Arrow.Data => {
  const size = column.type.size ?? 1
  const length = column.values.length / size
  const item = new arrow.FixedSizeList(size, float32)
  const floats = arrow.makeData({
    type: new arrow.Float32(),
    length: column.values.length,
    data: column.values,
  } as never)
  return arrow.makeData({
    type: arrowType(column.type),
    length: column.length,
    ...nulls(column),
    valueOffsets: scaleOffsets(column.offsets, (offset) => offset / size),
    child: arrow.makeData({ type: item, length, nullCount: 0, child: floats } as never),
  } as never)
}

const toData = (column: Column): Arrow.Data => {
  if (column.type.blob) return blobData(column)
  const type = arrowType(column.type)
  const common = { type, length: column.length, ...nulls(column) }
  switch (layoutOf(column.type)) {
    case "utf8":
    case "bytes":
      return arrow.makeData({ ...common, valueOffsets: column.offsets, data: column.values } as never)
    case "vector":
    case "floats": {
      const child = arrow.makeData({
        type: new arrow.Float32(),
        length: column.values.length,
        data: column.values,
      } as never)
      return arrow.makeData({ ...common, ...(column.offsets && { valueOffsets: column.offsets }), child } as never)
    }
    case "vectors":
      return vectorsData(column)
    case "bits":
      return bitsData(column)
    default:
      return arrow.makeData({ ...common, data: column.values } as never)
  }
}

/** One Arrow table of the given batches; columns that a batch lacks are null there. */
export const toTable = (schema: Schema, batches: readonly Batch[]): Arrow.Table => {
  const arrowSchema = new arrow.Schema([...schema].map(([name, type]) => toField(name, type)))
  const struct = new arrow.Struct(arrowSchema.fields)
  const records = batches.map((batch) => {
    const own = unshared()
    const children = [...schema].map(([name, type]) =>
      toData(alone(batch.columns.get(name) ?? nullColumn(type, batch.rows), own)),
    )
    const data = arrow.makeData({ type: struct, length: batch.rows, nullCount: 0, children })
    return new arrow.RecordBatch(arrowSchema, data)
  })
  return new arrow.Table(arrowSchema, records)
}

const fromData = (data: Arrow.Data, type: ColumnType, name: string): Column => {
  if (data.offset !== 0 || type.blob)
    throw new TableError(`Column ${JSON.stringify(name)} cannot be read as it is stored`)
  if (layoutOf(type) === "vectors") {
    const vectors = data.children[0]
    const size = type.size ?? 1
    return {
      type,
      length: data.length,
      values: (vectors?.children[0]?.values ?? new Float32Array(0)) as Float32Array,
      offsets: scaleOffsets(data.valueOffsets as Int32Array, (offset) => offset * size),
      ...(data.nullCount > 0 && { valid: data.nullBitmap }),
    }
  }
  const values = (
    layoutOf(type) === "vector" || layoutOf(type) === "floats" ? data.children[0]?.values : data.values
  ) as Values
  return {
    type,
    length: data.length,
    values,
    ...(data.valueOffsets && { offsets: data.valueOffsets as Int32Array }),
    ...(data.nullCount > 0 && { valid: data.nullBitmap }),
  }
}

/** A record batch that the store returned, as a batch. */
export const fromRecordBatch = (record: Arrow.RecordBatch): Batch => {
  const columns = new Map<string, Column>()
  record.schema.fields.forEach((field, index) => {
    const type = fromField(field)
    const data = record.data.children[index]
    if (type && data) columns.set(field.name, fromData(data, type, field.name))
  })
  return { rows: record.numRows, columns }
}
