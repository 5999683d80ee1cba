/** The values of `$1`, `$2`, ... */
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api"
import { describeValue } from "../../model/describe.ts"
import { TableError } from "../../model/errors.ts"

/** What a parameter may be. An array, also a typed one, is an array of SQL; one of vectors is an array of arrays. */
export type Param =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Uint8Array
  | Float32Array
  | Float64Array
  | readonly (string | number | bigint | boolean | null)[]
  | readonly (readonly number[] | Float32Array | Float64Array)[]

const wrong = (at: number, value: unknown, expected = "text, a number, a boolean, null, bytes or an array of them") =>
  new TableError(`Parameter $${at}: expected ${expected}, found ${describeValue(value)}`)

/** @throws {TableError} for what is no value of SQL. */
export const checkParams = (params: unknown): readonly Param[] => {
  if (params === undefined || params === null) return []
  if (!Array.isArray(params))
    throw new TableError(`Expected the parameters as an array, found ${describeValue(params)}`)
  params.forEach((value, index) => {
    const at = index + 1
    switch (typeof value) {
      case "string":
        if (value.includes("\0")) throw new TableError(`Parameter $${at}: a text cannot contain a NUL character`)
        return
      case "bigint":
        if (value < -(2n ** 127n) || value >= 2n ** 127n) throw wrong(at, value, "an integer of at most 128 bits")
        return
      case "number":
      case "boolean":
      case "undefined":
        return
      case "object":
        if (value === null || value instanceof Uint8Array || ArrayBuffer.isView(value) || Array.isArray(value)) return
        if (value instanceof Date && !Number.isNaN(value.getTime())) return
    }
    throw wrong(at, value)
  })
  return params
}

/** A value as it stands in place of `$n`. */
export interface Bound {
  readonly value: DuckDBValue
  readonly type: DuckDBType
}

type Api = typeof import("@duckdb/node-api")

const INT32 = 2 ** 31

const scalar = (api: Api, value: Param): Bound | undefined => {
  switch (typeof value) {
    case "string":
      return { value, type: api.VARCHAR }
    case "boolean":
      return { value, type: api.BOOLEAN }
    case "bigint":
      return { value, type: value >= -(2n ** 63n) && value < 2n ** 63n ? api.BIGINT : api.HUGEINT }
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return { value, type: api.DOUBLE }
      return value >= -INT32 && value < INT32
        ? { value, type: api.INTEGER }
        : { value: BigInt(value), type: api.BIGINT }
    default:
      return undefined
  }
}

const isList = (value: unknown): value is ArrayLike<number> => Array.isArray(value) || ArrayBuffer.isView(value)

const vectorsOf = (api: Api, vectors: readonly ArrayLike<number>[]): Bound => ({
  value: api.listValue(vectors.map((vector) => api.listValue(Array.from(vector, Number)))),
  type: api.LIST(api.LIST(api.DOUBLE)),
})

const listOf = (api: Api, values: readonly Param[], at: number): Bound => {
  const items = values.map((value) => (value === null || value === undefined ? null : scalar(api, value)))
  if (items.includes(undefined)) throw wrong(at, values)
  const types = new Set(items.flatMap((item) => (item ? [item.type] : [])))
  const numeric = [api.INTEGER, api.BIGINT, api.DOUBLE].filter((type) => types.has(type))
  if (types.size > Math.max(1, numeric.length)) throw wrong(at, values, "an array of values of one type")
  const type = numeric.at(-1) ?? [...types][0] ?? api.VARCHAR
  const cell = (value: DuckDBValue): DuckDBValue =>
    type === api.BIGINT ? BigInt(value as number) : type === api.DOUBLE ? Number(value) : value
  return { value: api.listValue(items.map((item) => (item ? cell(item.value) : null))), type: api.LIST(type) }
}

/** The value of `$at` for the engine. */
export const boundOf = (api: Api, value: Param, at: number): Bound => {
  if (value === null || value === undefined) return { value: null, type: api.SQLNULL }
  if (value instanceof Date) {
    return { value: new api.DuckDBTimestampTZValue(BigInt(value.getTime()) * 1000n), type: api.TIMESTAMPTZ }
  }
  if (value instanceof Uint8Array) return { value: new api.DuckDBBlobValue(value), type: api.BLOB }
  if (value instanceof Float32Array) return { value: api.listValue([...value]), type: api.LIST(api.FLOAT) }
  if (ArrayBuffer.isView(value)) return listOf(api, Array.from(value as Float64Array), at)
  if (Array.isArray(value)) {
    return value.length > 0 && value.every(isList) ? vectorsOf(api, value) : listOf(api, value, at)
  }
  const bound = scalar(api, value as Param)
  if (!bound) throw wrong(at, value)
  return bound
}
