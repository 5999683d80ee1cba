/**
 * The column types of Sluice and how each is laid out in memory.
 *
 * Layouts are Arrow's (https://arrow.apache.org/docs/format/Columnar.html), so that a column built in a
 * worker becomes part of a record batch without being copied or visited value by value.
 */
import { ConfigError } from "./errors.ts"

export const TYPE_NAMES = [
  "TEXT",
  "INT32",
  "INT64",
  "FLOAT32",
  "FLOAT64",
  "BOOL",
  "BINARY",
  "IMAGE",
  "VIDEO",
  "EMBEDDING",
  "MULTI_EMBEDDING",
  "SEGMENT_MASK",
  "BINARY_MASK",
  "BOUNDING_BOX",
  "CLASS_LABEL",
  "POLYGON",
  "POINT",
  "MESH",
  "MEDICAL",
  "JSON",
] as const

export type TypeName = (typeof TYPE_NAMES)[number]

/**
 * A column's type. `size` is the width of an EMBEDDING (floats a row), or of each vector of a MULTI_EMBEDDING; `blob` stores bytes out of line, so that
 * scans which do not ask for the column never read them (always so for VIDEO); `names` are those of a CLASS_LABEL's
 * classes, each at the position that stands for it (-1 is Hugging Face's for a row without a label).
 */
export interface ColumnType {
  readonly name: TypeName
  readonly size?: number
  readonly blob?: true
  readonly names?: readonly string[]
}

/** Column names and their types, in column order. */
export type Schema = ReadonlyMap<string, ColumnType>

/** What a user writes in `schema`: a type's name, `EMBEDDING(384)`, or the directive `FILE`. */
export type SchemaMap = Readonly<Record<string, string>>

/**
 * - `int32`, `int64`, `float32`, `float64`: one number a row
 * - `bits`: one bit a row, least significant first
 * - `utf8`, `bytes`: `offsets[i]..offsets[i+1]` of `values` belong to row i
 * - `vector`: `size` floats a row
 * - `floats`: `offsets[i]..offsets[i+1]` floats of `values` belong to row i
 * - `vectors`: the same, as vectors of `size` floats one after the other
 */
export type Layout =
  | "int32"
  | "int64"
  | "float32"
  | "float64"
  | "bits"
  | "utf8"
  | "bytes"
  | "vector"
  | "floats"
  | "vectors"

const LAYOUTS = {
  TEXT: "utf8",
  INT32: "int32",
  INT64: "int64",
  FLOAT32: "float32",
  FLOAT64: "float64",
  BOOL: "bits",
  BINARY: "bytes",
  IMAGE: "bytes",
  VIDEO: "bytes",
  EMBEDDING: "vector",
  MULTI_EMBEDDING: "vectors",
  SEGMENT_MASK: "bytes",
  BINARY_MASK: "bytes",
  BOUNDING_BOX: "floats",
  CLASS_LABEL: "int32",
  POLYGON: "bytes",
  POINT: "floats",
  MESH: "bytes",
  MEDICAL: "bytes",
  JSON: "utf8",
} as const satisfies Readonly<Record<TypeName, Layout>>

export type LayoutOf<Name extends TypeName> = (typeof LAYOUTS)[Name]

export const layoutOf = (type: ColumnType): Layout => LAYOUTS[type.name]

/** `EMBEDDING(384)`, `TEXT`, ... : the form in which a type is written in schemas, metadata and messages. */
export const formatType = (type: ColumnType): string =>
  type.size === undefined ? type.name : `${type.name}(${type.size})`

const sameNames = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean =>
  !a || !b || a === b || (a.length === b.length && a.every((name, index) => name === b[index]))

/** Whether values of both may stand in one column. Labels whose classes have no names go with any. */
export const sameType = (a: ColumnType, b: ColumnType): boolean =>
  a.name === b.name && a.size === b.size && sameNames(a.names, b.names)

const hasWidth = (name: string): boolean => name === "EMBEDDING" || name === "MULTI_EMBEDDING"

/** Whether it is of vectors whose width is not known yet: that of their first values, once there are some. */
export const isOpen = (type: ColumnType): boolean => hasWidth(type.name) && type.size === undefined

const isTypeName = (name: string): name is TypeName => (TYPE_NAMES as readonly string[]).includes(name)

/**
 * Reads a type as a user writes it: `"TEXT"`, `"EMBEDDING(384)"`. An EMBEDDING or MULTI_EMBEDDING without a width
 * takes that of its values.
 *
 * @throws {ConfigError} for a name that is no column type.
 */
export const parseType = (text: string, column: string): ColumnType => {
  const [, name = "", size] = /^\s*([A-Za-z0-9_]+)\s*(?:\(\s*(\d+)\s*\))?\s*$/.exec(text) ?? []
  const upper = name.toUpperCase()
  if (!isTypeName(upper) || (size !== undefined && !hasWidth(upper))) {
    throw new ConfigError(
      `Column ${JSON.stringify(column)}: expected a column type (${TYPE_NAMES.join(", ")}), found ${JSON.stringify(text)}`,
    )
  }
  if (upper === "VIDEO") return { name: upper, blob: true }
  return size === undefined ? { name: upper } : { name: upper, size: Number(size) }
}
