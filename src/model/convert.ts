/**
 * JavaScript values as a column of a given type, strictly: a value that does not fit exactly (floats are rounded to
 * the type's precision) is refused with its row, never changed without a word.
 */
import {
  boolColumn,
  bytesColumn,
  type Column,
  floatsColumn,
  numberColumn,
  textColumn,
  type Values,
  validity,
  vectorColumn,
  vectorsColumn,
} from "./column.ts"
import { describeValue } from "./describe.ts"
import { IngestError } from "./errors.ts"
import { isJson, jsonText } from "./json-text.ts"
import { type ColumnType, formatType, type Layout, layoutOf } from "./types.ts"

/** Rounding to the precision of 32 bits is fine, becoming infinite is not. */
const fitsFloat32 = (value: number): boolean => Number.isFinite(Math.fround(value)) || !Number.isFinite(value)

/** Typed arrays of plain numbers; not those of bytes, and not those of bigints. */
export const isNumericArray = (value: unknown): value is ArrayLike<number> =>
  ArrayBuffer.isView(value) &&
  !(value instanceof DataView) &&
  !(value instanceof Uint8Array) &&
  !(value instanceof Uint8ClampedArray) &&
  !(value instanceof BigInt64Array) &&
  !(value instanceof BigUint64Array)

/** The bytes of a value that is nothing but bytes. */
export const bytesOf = (value: unknown): Uint8Array | undefined => {
  if (value instanceof Uint8Array) return value
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  if (value instanceof Uint8ClampedArray) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
  return undefined
}

const floatsOf = (value: unknown): ArrayLike<number> | undefined => {
  if (value instanceof Float32Array) return value
  if (!Array.isArray(value) && !isNumericArray(value)) return undefined
  for (let index = 0; index < value.length; index++) {
    const entry: unknown = value[index]
    if (typeof entry !== "number" || !fitsFloat32(entry)) return undefined
  }
  return value
}

/** A number or bigint that is whole and within the bounds. */
const integerOf = (value: unknown, min: number, limit: number): number | bigint | undefined => {
  if (typeof value === "number") return Number.isInteger(value) && value >= min && value < limit ? value : undefined
  return typeof value === "bigint" && value >= min && value < limit ? value : undefined
}

const numberOf = (value: unknown): number | undefined => {
  if (typeof value === "number") return value
  return typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : undefined
}

const jsonOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return isJson(value) ? value : undefined
  const json = jsonText(isNumericArray(value) ? Array.from(value) : value)
  return "text" in json ? json.text : undefined
}

const textOf = (value: unknown): string | undefined => {
  if (typeof value === "string") return value
  return value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : undefined
}

/** Values of one column: `firstRow` is the row of the first one, as messages count it. */
export interface Cells {
  readonly name: string
  readonly values: ArrayLike<unknown>
  readonly firstRow: number
}

const vectorsOf = (value: unknown, size: number | undefined): readonly ArrayLike<number>[] | undefined => {
  if (!Array.isArray(value)) return undefined
  const vectors: ArrayLike<number>[] = []
  for (const entry of value) {
    const floats = floatsOf(entry)
    if (!floats || floats.length !== size) return undefined
    vectors.push(floats)
  }
  return vectors
}

type Cell = string | number | bigint | boolean | Uint8Array | ArrayLike<number> | readonly ArrayLike<number>[]

/** For each layout, the value as it is stored; undefined when it does not fit. */
const READERS = {
  int32: (value) => integerOf(value, -(2 ** 31), 2 ** 31),
  int64: (value) => integerOf(value, -(2 ** 63), 2 ** 63),
  float32: (value) => {
    const number = numberOf(value)
    return number !== undefined && fitsFloat32(number) ? number : undefined
  },
  float64: numberOf,
  bits: (value) => (typeof value === "boolean" ? value : undefined),
  utf8: (value, type) => (type.name === "JSON" ? jsonOf(value) : textOf(value)),
  bytes: bytesOf,
  vector: (value, type) => {
    const floats = floatsOf(value)
    return floats && floats.length === type.size ? floats : undefined
  },
  floats: floatsOf,
  vectors: (value, type) => vectorsOf(value, type.size),
} satisfies Readonly<Record<Layout, (value: unknown, type: ColumnType) => Cell | undefined>>

const expectedOf = (type: ColumnType): string => {
  switch (layoutOf(type)) {
    case "int32":
      return "a whole number from -2147483648 to 2147483647"
    case "int64":
      return "a whole number from -2^63 to 2^63 - 1"
    case "float32":
      return "a number of at most 3.4e38"
    case "float64":
      return "a number"
    case "bits":
      return "true or false"
    case "utf8":
      return type.name === "JSON" ? "JSON text, or a value that JSON can hold" : "a string"
    case "bytes":
      return "a Uint8Array"
    case "vector":
      return type.size === undefined ? "a list of numbers" : `a list of ${type.size} numbers`
    case "floats":
      return "a list of numbers"
    case "vectors":
      return `a list of vectors, each a list of ${type.size === undefined ? "" : `${type.size} `}numbers`
  }
}

const foundOf = (value: unknown, type: ColumnType): string => {
  if (type.name !== "JSON" || typeof value === "string") return describeValue(value)
  const json = jsonText(value)
  return "problem" in json ? json.problem : describeValue(value)
}

/** `Column "age", row 7`, in all messages about a value. */
export const placeOf = ({ name, firstRow }: Cells, row: number): string =>
  `Column ${JSON.stringify(name)}, row ${firstRow + row}`

const readAll = <T>(
  cells: Cells,
  type: ColumnType,
  read: (value: unknown, type: ColumnType) => T | undefined,
  take: (value: T, row: number) => void,
): void => {
  const { values } = cells
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (value === null || value === undefined) continue
    const cell = read(value, type)
    if (cell === undefined) {
      throw new IngestError(
        `${placeOf(cells, row)}: expected ${formatType(type)} (${expectedOf(type)}), found ${foundOf(value, type)}. ` +
          `Change the value, or give the column another type in "schema"`,
      )
    }
    take(cell, row)
  }
}

const IN_PLACE: Readonly<Partial<Record<Layout, (values: unknown) => boolean>>> = {
  int32: (values) => values instanceof Int32Array,
  int64: (values) => values instanceof BigInt64Array,
  float32: (values) => values instanceof Float32Array,
  float64: (values) => values instanceof Float64Array,
}

const isInPlace = (values: unknown, type: ColumnType): values is Exclude<Values, Uint8Array> =>
  IN_PLACE[layoutOf(type)]?.(values) === true

/** @throws {IngestError} for a value that does not fit the type; nothing is built. */
export const checkCells = (cells: Cells, type: ColumnType): void => {
  if (!isInPlace(cells.values, type)) readAll<Cell>(cells, type, READERS[layoutOf(type)], () => {})
}

/**
 * The values as a column; null and undefined are nulls. A typed array of the type's own kind is taken as it is,
 * without a copy. An EMBEDDING or MULTI_EMBEDDING needs its size here.
 *
 * @throws {IngestError} for a value that does not fit, with its row and column, what was expected and what was found.
 */
export const convertCells = (cells: Cells, type: ColumnType): Column => {
  const { values } = cells
  const rows = values.length
  if (isInPlace(values, type)) return numberColumn(values, type)

  const numbers = (target: Exclude<Values, Uint8Array>): Column => {
    const valid = validity(rows, (row) => values[row] !== null && values[row] !== undefined)
    return { ...numberColumn(target, type), ...(valid && { valid }) }
  }
  const filled = <T>(read: (value: unknown, type: ColumnType) => T | undefined): (T | null)[] => {
    const list = new Array<T | null>(rows).fill(null)
    readAll(cells, type, read, (value, row) => {
      list[row] = value
    })
    return list
  }

  const layout = layoutOf(type)
  switch (layout) {
    case "int32":
    case "float32":
    case "float64": {
      const target = new { int32: Int32Array, float32: Float32Array, float64: Float64Array }[layout](rows)
      readAll<number | bigint>(cells, type, READERS[layout], (value, row) => {
        target[row] = Number(value)
      })
      return numbers(target)
    }
    case "int64": {
      const target = new BigInt64Array(rows)
      // As two halves: several times faster than through a bigint each.
      const halves = new Int32Array(target.buffer)
      readAll(cells, type, READERS.int64, (value, row) => {
        if (typeof value === "bigint") target[row] = value
        else {
          halves[2 * row] = value | 0
          halves[2 * row + 1] = Math.floor(value / 2 ** 32)
        }
      })
      return numbers(target)
    }
    case "bits":
      return boolColumn(filled(READERS.bits))
    case "utf8":
      return textColumn(filled(READERS.utf8), type)
    case "bytes":
      return bytesColumn(filled(READERS.bytes), type)
    case "vector":
      return vectorColumn(filled(READERS.vector), { ...type, size: type.size ?? 0 })
    case "floats":
      return floatsColumn(filled(READERS.floats), type)
    case "vectors":
      return vectorsColumn(filled(READERS.vectors), { ...type, size: type.size ?? 0 })
  }
}
