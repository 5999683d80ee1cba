/**
 * The columns as an Arrow schema, which Arrow's readers take from the key `ARROW:schema` of a Parquet file's metadata:
 * Parquet itself does not say that all lists of a column have one length, and `datasets` wants to be told.
 */
import { createRequire } from "node:module"
import type * as Arrow from "apache-arrow"
import type { ColumnType, Schema } from "../model/types.ts"
import { type Stored, storedAs } from "./stored.ts"

const field = (arrow: typeof Arrow, name: string, type: Arrow.DataType): Arrow.Field =>
  new arrow.Field(name, type, true)

const typeOf = (arrow: typeof Arrow, type: ColumnType, hasNulls: boolean): Arrow.DataType => {
  const types: { readonly [S in Stored]: () => Arrow.DataType } = {
    int32: () => new arrow.Int32(),
    int64: () => new arrow.Int64(),
    float32: () => new arrow.Float32(),
    float64: () => new arrow.Float64(),
    bits: () => new arrow.Bool(),
    utf8: () => new arrow.Utf8(),
    bytes: () => new arrow.Binary(),
    file: () => new arrow.Struct([field(arrow, "bytes", new arrow.Binary()), field(arrow, "path", new arrow.Utf8())]),
    list: () => {
      const element = field(arrow, "element", new arrow.Float32())
      // Arrow (25) does not read a null back into lists of a fixed length.
      const fixed = type.size !== undefined && !hasNulls
      return fixed ? new arrow.FixedSizeList(type.size, element) : new arrow.List(element)
    },
    vectors: () => {
      const element = field(arrow, "element", new arrow.Float32())
      return new arrow.List(field(arrow, "element", new arrow.List(element)))
    },
  }
  return types[storedAs(type)]()
}

/** The message that a stream of these columns begins with, in base64. */
export const arrowSchema = (
  schema: Schema,
  withNulls: ReadonlySet<string>,
  metadata: Readonly<Record<string, string>>,
): string => {
  const arrow = createRequire(import.meta.url)("apache-arrow") as typeof Arrow
  const fields = [...schema].map(([name, type]) => field(arrow, name, typeOf(arrow, type, withNulls.has(name))))
  const writer = new arrow.RecordBatchStreamWriter()
  writer.reset(undefined, new arrow.Schema(fields, new Map(Object.entries(metadata))))
  writer.finish()
  return Buffer.from(writer.toUint8Array(true)).toString("base64")
}
