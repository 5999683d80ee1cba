/**
 * Column types from JavaScript values, and batches of columns from arrays.
 *
 * | values | type |
 * |---|---|
 * | booleans | BOOL |
 * | whole numbers (up to 2^53), bigints | INT64 |
 * | numbers, one of them not whole or larger | FLOAT64 |
 * | strings, Dates (as ISO 8601 in UTC) | TEXT |
 * | Uint8Array, Buffer, ArrayBuffer | BINARY |
 * | lists of numbers, all of one length | EMBEDDING of that length |
 * | lists of such lists | MULTI_EMBEDDING of that length |
 * | plain objects, other lists | JSON |
 *
 * null and undefined fit any type. A typed array as a whole column has its own: Int32Array and narrower ones INT32;
 * Uint32Array and the bigint ones INT64; Float32Array FLOAT32; Float64Array FLOAT64.
 */
import type { Batch } from "./batch.ts"
import type { Column } from "./column.ts"
import { bytesOf, type Cells, checkCells, convertCells, isNumericArray, placeOf } from "./convert.ts"
import { describeValue } from "./describe.ts"
import { IngestError } from "./errors.ts"
import type { Columns } from "./format.ts"
import { checkColumnName } from "./rows.ts"
import { type ColumnType, isOpen, type Schema, type TypeName } from "./types.ts"

/** What a single value says about its column. */
type Kind = "boolean" | "integer" | "bigint" | "number" | "text" | "bytes" | "list" | "lists" | "json"

/** Kinds that can stand in one column, and the one that covers both. */
const WIDER: Readonly<Partial<Record<Kind, Readonly<Partial<Record<Kind, Kind>>>>>> = {
  integer: { bigint: "bigint", number: "number" },
  bigint: { integer: "bigint", number: "number" },
  number: { integer: "number", bigint: "number" },
  list: { json: "json", lists: "json" },
  lists: { json: "json", list: "json" },
  json: { list: "json", lists: "json" },
}

const TYPES: Readonly<Record<Exclude<Kind, "list" | "lists">, TypeName>> = {
  boolean: "BOOL",
  integer: "INT64",
  bigint: "INT64",
  number: "FLOAT64",
  text: "TEXT",
  bytes: "BINARY",
  json: "JSON",
}

const isVector = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) ? isNumbers(value) : isNumericArray(value) && value.length > 0

const isNumbers = (value: readonly unknown[]): boolean => {
  for (const entry of value) if (typeof entry !== "number") return false
  return value.length > 0
}

/** The width of vectors that stand in a list; undefined where they are no vectors, or not of one width. */
const widthOfVectors = (value: readonly unknown[]): number | undefined => {
  const [first] = value
  const width = isVector(first) ? first.length : undefined
  return value.every((entry) => isVector(entry) && entry.length === width) ? width : undefined
}

const kindOf = (value: unknown): Kind | undefined => {
  switch (typeof value) {
    case "boolean":
      return "boolean"
    case "number":
      return Number.isSafeInteger(value) ? "integer" : "number"
    case "bigint":
      return "bigint"
    case "string":
      return "text"
    case "object":
      if (Array.isArray(value))
        return isNumbers(value) ? "list" : widthOfVectors(value) === undefined ? "json" : "lists"
      if (value instanceof Date) return "text"
      if (bytesOf(value)) return "bytes"
      return isNumericArray(value) && value.length > 0 ? "list" : "json"
    default:
      return undefined
  }
}

const TYPED: readonly (readonly [TypeName, readonly (new (length: number) => unknown)[]])[] = [
  ["INT32", [Int32Array, Int16Array, Int8Array, Uint16Array, Uint8Array, Uint8ClampedArray]],
  ["INT64", [BigInt64Array, BigUint64Array, Uint32Array]],
  ["FLOAT64", [Float64Array]],
  ["FLOAT32", [Float32Array]],
]

const typeOfArray = (values: unknown): ColumnType | undefined => {
  const name = TYPED.find(([, arrays]) => arrays.some((array) => values instanceof array))?.[0]
  return name && { name }
}

const lengthOf = (value: unknown): number => (value as ArrayLike<unknown>).length

/** The type that the values have; undefined when all are null. */
const infer = (cells: Cells): ColumnType | undefined => {
  const { values } = cells
  const typed = typeOfArray(values)
  if (typed) return typed
  let kind: Kind | undefined
  let first = 0
  let width: number | undefined
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null || value === undefined) continue
    const found = kindOf(value)
    if (kind === undefined) first = row
    const wider = kind === undefined || kind === found ? found : found && WIDER[kind]?.[found]
    if (wider === undefined) {
      const expected =
        kind === undefined
          ? "a value"
          : `a value like that of row ${cells.firstRow + first} (${describeValue(values[first])})`
      throw new IngestError(
        `${placeOf(cells, row)}: expected ${expected}, found ${describeValue(value)}. ` +
          `Give all values one type, or name the column's type in "schema"`,
      )
    }
    kind = wider
    if (found === "list" || found === "lists") {
      const wide = found === "list" ? lengthOf(value) : widthOfVectors(value as readonly unknown[])
      width ??= wide
      if (width !== wide) kind = "json"
    }
  }
  if (kind === "list") return { name: "EMBEDDING", size: width ?? 0 }
  if (kind === "lists") return { name: "MULTI_EMBEDDING", size: width ?? 0 }
  return kind && { name: TYPES[kind] }
}

/** Without a width it takes that of its first vector; undefined when there is none, as all values are null or empty. */
const withWidth = ({ values }: Cells, type: ColumnType): ColumnType | undefined => {
  if (!isOpen(type)) return type
  let allNull = true
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null || value === undefined) continue
    if (type.name === "MULTI_EMBEDDING") {
      if (Array.isArray(value) && value.length === 0) continue
      allNull = false
      const width = Array.isArray(value) ? widthOfVectors(value) : undefined
      if (width !== undefined) return { ...type, size: width }
      continue
    }
    allNull = false
    if ((Array.isArray(value) || isNumericArray(value)) && value.length > 0) return { ...type, size: value.length }
  }
  // Without a vector the conversion refuses the first value, and names it.
  return allNull ? undefined : type
}

/**
 * The type of a column of these values: `type` where one is given (vectors get their width), otherwise inferred
 * from all of them. Undefined when nothing is known yet: all values are null.
 *
 * @throws {IngestError} when the values have no type in common, or one does not fit `type`.
 */
export const checkedType = (
  name: string,
  values: ArrayLike<unknown>,
  type?: ColumnType,
  firstRow = 0,
): ColumnType | undefined => {
  const cells = { name, values, firstRow }
  const known = type ? withWidth(cells, type) : infer(cells)
  if (known) checkCells(cells, known)
  return known
}

/**
 * A column of the values, of the given type or of the inferred one. Undefined when all values are null and no type is
 * given: such a column is left out until a value shows what it is.
 *
 * Typed arrays of the type's own kind are taken without a copy: do not change them afterwards.
 *
 * @param firstRow the row of the first value, for messages.
 * @throws {IngestError} naming row, column, what was expected and what was found.
 */
export const columnOf = (
  name: string,
  values: ArrayLike<unknown>,
  type?: ColumnType,
  firstRow = 0,
): Column | undefined => {
  const cells = { name, values, firstRow }
  const known = type ? withWidth(cells, type) : infer(cells)
  return known && convertCells(cells, known)
}

const isArray = (values: unknown): values is ArrayLike<unknown> =>
  Array.isArray(values) || (ArrayBuffer.isView(values) && !(values instanceof DataView))

/**
 * The number of rows of columns that anyone may have handed over.
 *
 * @throws {IngestError} `data must be a dict`, `data must not be empty`, a column that is no array, different lengths.
 * @throws {ConfigError} for a reserved column name.
 */
export const countRows = (data: Columns): number => {
  if (typeof data !== "object" || data === null || isArray(data) || data instanceof Map) {
    throw new IngestError(
      `data must be a dict: expected an object with an array a column, { name: [...] }, found ${describeValue(data)}`,
    )
  }
  const entries = Object.entries(data)
  const [first] = entries
  if (!first) throw new IngestError("data must not be empty: expected at least one column, found none")
  for (const [name, values] of entries) {
    checkColumnName(name)
    if (!isArray(values)) {
      throw new IngestError(
        `Column ${JSON.stringify(name)}: expected an array or a typed array, found ${describeValue(values)}`,
      )
    }
    if (values.length !== first[1].length) {
      throw new IngestError(
        `Columns must have equal lengths: ${JSON.stringify(first[0])} has ${first[1].length} values, ${JSON.stringify(name)} has ${values.length}`,
      )
    }
  }
  return first[1].length
}

/**
 * A batch of arrays, one a column. Columns that `schema` does not name get the type of their values; a column of
 * nothing but nulls that it does not name is left out. What `schema` names beyond the data is ignored.
 *
 * @param firstRow the row of the first value, for messages.
 * @throws {IngestError} when lengths differ, or a value does not fit.
 * @throws {ConfigError} for a reserved column name.
 */
export const batchOfColumns = (data: Columns, schema?: Schema, firstRow = 0): Batch => {
  const rows = countRows(data)
  const columns = new Map<string, Column>()
  for (const [name, values] of Object.entries(data)) {
    const column = columnOf(name, values, schema?.get(name), firstRow)
    if (column) columns.set(name, column)
  }
  return { rows, columns }
}
