/** How a type is stored in Parquet, where that is not how it lies in memory. */
import { type Column, numberColumn } from "../model/column.ts"
import { type ColumnType, type Layout, layoutOf, type TypeName } from "../model/types.ts"

/** Files are a struct of `bytes` and `path`, as Hugging Face has them; lists are of floats, those of `vectors` of such lists. */
export type Stored = Exclude<Layout, "vector" | "floats"> | "file" | "list"

/** Types whose values are files in themselves; masks are PNGs. */
const FILES: readonly TypeName[] = ["IMAGE", "VIDEO", "SEGMENT_MASK", "BINARY_MASK"]

export const storedAs = (type: ColumnType): Stored => {
  if (FILES.includes(type.name)) return "file"
  // `datasets` takes whole numbers for class labels only if they have 64 bits.
  if (type.name === "CLASS_LABEL") return "int64"
  const layout = layoutOf(type)
  return layout === "vector" || layout === "floats" ? "list" : layout
}

const DUCKDB_TYPES: Readonly<Record<Stored, string>> = {
  int32: "INTEGER",
  int64: "BIGINT",
  float32: "FLOAT",
  float64: "DOUBLE",
  bits: "BOOLEAN",
  utf8: "VARCHAR",
  bytes: "BLOB",
  file: "STRUCT(bytes BLOB, path VARCHAR)",
  list: "FLOAT[]",
  vectors: "FLOAT[][]",
}

/** The column with its values as they are stored. */
export const toStored = (column: Column): Column => {
  if (column.type.name !== "CLASS_LABEL") return column
  const words = new Int32Array(column.length * 2)
  for (let row = 0; row < column.length; row++) {
    const value = Number(column.values[row])
    words[row * 2] = value
    words[row * 2 + 1] = value < 0 ? -1 : 0
  }
  const stored = numberColumn(new BigInt64Array(words.buffer), { name: "INT64" })
  return column.valid ? { ...stored, valid: column.valid } : stored
}

/** Whether a column of the given type in DuckDB may be one that was stored as `type`. */
export const isStoredAs = (type: ColumnType, duckDbType: string): boolean =>
  duckDbType.replaceAll('"', "") === DUCKDB_TYPES[storedAs(type)]
