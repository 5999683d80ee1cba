/**
 * DuckDB's types and ours: which column type a DuckDB column has by itself, and the SQL that makes it one of another
 * type. A value that does not fit exactly is an error of the query, never changed without a word (only floats are
 * rounded to the precision of theirs).
 *
 * | DuckDB (Parquet) | column type |
 * |---|---|
 * | BOOLEAN | BOOL |
 * | integers of up to 32 bits, signed, and of 8 and 16, unsigned | INT32 |
 * | UINTEGER, BIGINT, UBIGINT (a value beyond 2^63-1 is an error) | INT64 |
 * | FLOAT, DOUBLE | FLOAT32, FLOAT64 |
 * | HUGEINT, UHUGEINT, DECIMAL, UUID, ENUM, INTERVAL, BIT, ... | TEXT, with all digits |
 * | DATE, TIME, TIMESTAMP, with or without time zone | TEXT, ISO 8601; UTC with a Z where there is a zone |
 * | BLOB | BINARY |
 * | lists of FLOAT or DOUBLE, all of one length and without nulls in them | EMBEDDING of that length |
 * | other lists, STRUCT, MAP, UNION, JSON | JSON |
 */
import type { DuckDBType } from "@duckdb/node-api"
import { type ColumnType, type Layout, layoutOf, type TypeName } from "../model/types.ts"
import { literal } from "./duckdb.ts"

/** A type as SQL writes it: `BIGINT`, `DECIMAL(18,3)`, `FLOAT[]`, `STRUCT(a INTEGER)`. JSON is called `JSON`. */
export const sqlTypeOf = (type: DuckDBType): string => (type.alias === "JSON" ? "JSON" : type.toString())

const NATURAL: Readonly<Record<string, TypeName>> = {
  BOOLEAN: "BOOL",
  TINYINT: "INT32",
  SMALLINT: "INT32",
  INTEGER: "INT32",
  UTINYINT: "INT32",
  USMALLINT: "INT32",
  UINTEGER: "INT64",
  BIGINT: "INT64",
  UBIGINT: "INT64",
  FLOAT: "FLOAT32",
  DOUBLE: "FLOAT64",
  BLOB: "BINARY",
  JSON: "JSON",
  STRUCT: "JSON",
  MAP: "JSON",
  UNION: "JSON",
}

const INTEGERS = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/
const FRACTIONS = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/
const LIST = /\[\d*\]$/
const NESTED = /^(STRUCT|MAP|UNION)\(|\[\d*\]$/
const FLOATS = /^(FLOAT|DOUBLE)\[\d*\]$/
const NUMBERS = /^([A-Z]+|DECIMAL\([^)]*\))((\[\d*\])+)$/

/** The name without what stands in parentheses. */
const baseOf = (type: string): string => /^[A-Z_ ]+/.exec(type)?.[0].trim() ?? type

/** Whether it is an EMBEDDING depends on the values: all lists must have one length. */
export const isFloatList = (type: string): boolean => FLOATS.test(type)

/** The column type of a DuckDB type. A list of floats is said to be JSON: see {@link isFloatList}. */
export const naturalType = (type: string): ColumnType => ({
  name: LIST.test(type) ? "JSON" : (NATURAL[baseOf(type)] ?? "TEXT"),
})

/** Formats that keep all digits, and as many of them as the unit has, so that texts sort as times do. */
const ISO: Readonly<Record<string, (c: string) => string>> = {
  DATE: (c) => `${c}::VARCHAR`,
  TIMESTAMP: (c) => `strftime(${c}, '%Y-%m-%dT%H:%M:%S.%f')`,
  TIMESTAMP_S: (c) => `strftime(${c}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S')`,
  TIMESTAMP_MS: (c) => `strftime(${c}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%g')`,
  TIMESTAMP_NS: (c) => `strftime(${c}, '%Y-%m-%dT%H:%M:%S.%n')`,
  "TIMESTAMP WITH TIME ZONE": (c) => `strftime(make_timestamp(epoch_us(${c})), '%Y-%m-%dT%H:%M:%S.%fZ')`,
}

/** Whole numbers of the column's own unit since 1970, where the caller asks for numbers. */
const EPOCH: Readonly<Record<string, (c: string) => string>> = {
  DATE: (c) => `(${c} - DATE '1970-01-01')`,
  TIMESTAMP: (c) => `epoch_us(${c})`,
  TIMESTAMP_S: (c) => `(epoch_ms(${c}::TIMESTAMP) // 1000)`,
  TIMESTAMP_MS: (c) => `epoch_ms(${c}::TIMESTAMP)`,
  TIMESTAMP_NS: (c) => `epoch_ns(${c})`,
  "TIMESTAMP WITH TIME ZONE": (c) => `epoch_us(${c})`,
}

/** `value`, unless `wrong` is true of it: then an error that names the value. */
const unless = (wrong: string, c: string, value: string, expected: string): string =>
  `CASE WHEN ${wrong} THEN error('expected ' || ${literal(expected)} || ', found ' || ${c}::VARCHAR) ELSE ${value} END`

const toInteger = (type: string, c: string, sqlType: string, name: string): string | undefined => {
  if (INTEGERS.test(type) || type === "BOOLEAN") return `${c}::${sqlType}`
  if (FRACTIONS.test(type)) return unless(`${c} <> trunc(${c})`, c, `${c}::${sqlType}`, name)
  // The cast would round "1.5".
  if (type === "VARCHAR") {
    return unless(`NOT regexp_full_match(trim(${c}), '[+-]?[0-9]+')`, c, `${c}::${sqlType}`, name)
  }
  const epoch = EPOCH[type]
  return epoch && `${epoch(c)}::${sqlType}`
}

const toFloat = (type: string, c: string, sqlType: string): string | undefined =>
  INTEGERS.test(type) || FRACTIONS.test(type) || type === "VARCHAR" ? `${c}::${sqlType}` : undefined

const toText = (type: string, c: string): string => {
  if (type === "VARCHAR") return c
  if (type === "BLOB") return `decode(${c})`
  if (NESTED.test(type)) return `to_json(${c})::VARCHAR`
  return ISO[type]?.(c) ?? `${c}::VARCHAR`
}

const toJson = (type: string, c: string): string | undefined => {
  if (type === "JSON") return `${c}::VARCHAR`
  if (type === "BLOB") return undefined
  if (type === "VARCHAR") return `${c}::JSON::VARCHAR`
  return `to_json(${NESTED.test(type) ? c : (ISO[type]?.(c) ?? c)})::VARCHAR`
}

const toFloats = (type: string, c: string): string | undefined => {
  if (type === "VARCHAR" || type === "JSON") return `${c}::FLOAT[]`
  const [, item = "", lists = ""] = NUMBERS.exec(type) ?? []
  if (!INTEGERS.test(item) && !FRACTIONS.test(item)) return undefined
  // Lists of lists, such as boxes or matrices, one row after the other.
  const depth = lists.split("]").length - 1
  let flat = type.endsWith("[]") ? c : `${c}::${item}${"[]".repeat(depth)}`
  for (let level = 1; level < depth; level++) flat = `flatten(${flat})`
  return item === "FLOAT" && flat === c ? c : `${flat}::FLOAT[]`
}

const TO: Readonly<Record<Layout, (type: string, c: string, wanted: ColumnType) => string | undefined>> = {
  int32: (type, c, { name }) => toInteger(type, c, "INTEGER", name),
  int64: (type, c, { name }) => toInteger(type, c, "BIGINT", name),
  float32: (type, c) => toFloat(type, c, "FLOAT"),
  float64: (type, c) => toFloat(type, c, "DOUBLE"),
  bits: (type, c) => (type === "BOOLEAN" ? c : type === "VARCHAR" ? `${c}::BOOLEAN` : undefined),
  utf8: (type, c, { name }) => (name === "JSON" ? toJson(type, c) : toText(type, c)),
  bytes: (type, c, { name }) =>
    type === "BLOB" ? c : type === "VARCHAR" && name === "BINARY" ? `encode(${c})` : undefined,
  vector: toFloats,
  floats: toFloats,
}

/** The SQL that turns the expression `c`, of the given DuckDB type, into `wanted`; undefined when nothing does. */
export const conversion = (type: string, c: string, wanted: ColumnType): string | undefined =>
  TO[layoutOf(wanted)](type, c, wanted)
