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
 * | DATE, TIME, TIMESTAMP (of micro- or nanoseconds) | TEXT, ISO 8601; with a Z, in UTC, where there is a time zone |
 * | BLOB | BINARY |
 * | lists of FLOAT or DOUBLE, all of one length and without nulls in them | EMBEDDING of that length |
 * | other lists, STRUCT, MAP, UNION, JSON | JSON |
 */
import type { DuckDBType } from "@duckdb/node-api"
import { type ColumnType, type Layout, layoutOf, type TypeName } from "../model/types.ts"

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

/** Formats that keep all digits, and always as many, so that texts sort as times do. */
const ISO: Readonly<Record<string, (c: string) => string>> = {
  TIMESTAMP: (c) => `strftime(${c}, '%Y-%m-%dT%H:%M:%S.%f')`,
  TIMESTAMP_NS: (c) => `strftime(${c}, '%Y-%m-%dT%H:%M:%S.%n')`,
  "TIMESTAMP WITH TIME ZONE": (c) => `strftime(make_timestamp(epoch_us(${c})), '%Y-%m-%dT%H:%M:%S.%fZ')`,
}

/** Since 1970, where the caller asks for numbers: days, microseconds, or nanoseconds where the file has them. */
const EPOCH: Readonly<Record<string, (c: string) => string>> = {
  DATE: (c) => `(${c} - DATE '1970-01-01')`,
  TIMESTAMP: (c) => `epoch_us(${c})`,
  TIMESTAMP_NS: (c) => `epoch_ns(${c})`,
  "TIMESTAMP WITH TIME ZONE": (c) => `epoch_us(${c})`,
}

/** A conversion in SQL. A `partial` one gives null for a value that does not fit. */
export interface Conversion {
  readonly sql: string
  readonly partial?: true
}

const total = (sql: string): Conversion => ({ sql })
const partial = (sql: string): Conversion => ({ sql, partial: true })
const tryCast = (c: string, sqlType: string): string => `try_cast(${c} AS ${sqlType})`

const toInteger = (type: string, c: string, sqlType: "INTEGER" | "BIGINT"): Conversion | undefined => {
  if (type === sqlType) return total(c)
  if (NATURAL[type] === "INT32" || type === "BOOLEAN" || (type === "UINTEGER" && sqlType === "BIGINT")) {
    return total(`${c}::${sqlType}`)
  }
  const cast = tryCast(c, sqlType)
  if (INTEGERS.test(type)) return partial(cast)
  // Casts of fractions, and of texts such as "1.5", would round.
  if (FRACTIONS.test(type)) return partial(`CASE WHEN ${c} = trunc(${c}) THEN ${cast} END`)
  if (type === "VARCHAR") {
    const trimmed = `trim(${c})`
    return partial(
      `CASE WHEN ${cast}::VARCHAR = ${c} THEN ${cast} WHEN regexp_full_match(${trimmed}, '[+-]?[0-9]+') THEN ${tryCast(trimmed, sqlType)} END`,
    )
  }
  const epoch = EPOCH[type]
  return epoch && partial(tryCast(epoch(c), sqlType))
}

const toFloat = (type: string, c: string, sqlType: "FLOAT" | "DOUBLE"): Conversion | undefined => {
  if (type === sqlType) return total(c)
  if (type === "VARCHAR" || (type === "DOUBLE" && sqlType === "FLOAT")) return partial(tryCast(c, sqlType))
  return INTEGERS.test(type) || FRACTIONS.test(type) ? total(`${c}::${sqlType}`) : undefined
}

const toBoolean = (type: string, c: string): Conversion | undefined => {
  if (type === "BOOLEAN") return total(c)
  if (type !== "VARCHAR") return undefined
  return partial(`CASE lower(trim(${c})) WHEN 'true' THEN true WHEN 'false' THEN false END`)
}

const toText = (type: string, c: string): Conversion => {
  if (type === "VARCHAR") return total(c)
  if (type === "BLOB") return total(`decode(${c})`)
  if (NESTED.test(type)) return total(`to_json(${c})::VARCHAR`)
  return total(ISO[type]?.(c) ?? `${c}::VARCHAR`)
}

const toJson = (type: string, c: string): Conversion | undefined => {
  if (type === "JSON") return total(`${c}::VARCHAR`)
  if (type === "BLOB") return undefined
  if (type === "VARCHAR") return partial(`CASE WHEN json_valid(${c}) THEN ${c} END`)
  return total(`to_json(${NESTED.test(type) ? c : (ISO[type]?.(c) ?? c)})::VARCHAR`)
}

/** As Hugging Face's `datasets` stores pictures and the like. */
const FILE = /^STRUCT\((?:"?bytes"? BLOB, "?path"? VARCHAR|"?path"? VARCHAR, "?bytes"? BLOB)\)$/

const toBytes = (type: string, c: string, { name }: ColumnType): Conversion | undefined => {
  if (type === "BLOB") return total(c)
  if (FILE.test(type)) return total(`${c}.bytes`)
  return type === "VARCHAR" && name === "BINARY" ? total(`encode(${c})`) : undefined
}

const toFloats = (type: string, c: string): Conversion | undefined => {
  if (type === "FLOAT[]") return total(c)
  if (type === "VARCHAR" || type === "JSON") return partial(tryCast(c, "FLOAT[]"))
  const [, item = "", lists = ""] = NUMBERS.exec(type) ?? []
  if (!INTEGERS.test(item) && !FRACTIONS.test(item)) return undefined
  // Lists of lists, such as boxes or matrices, one row after the other.
  const depth = lists.split("]").length - 1
  let flat = `${c}::${item}${"[]".repeat(depth)}`
  for (let level = 1; level < depth; level++) flat = `flatten(${flat})`
  return partial(tryCast(flat, "FLOAT[]"))
}

/** As their floats, one vector after the other. */
const toVectors = (type: string, c: string, { size }: ColumnType): Conversion | undefined => {
  const [, item = "", lists = ""] = NUMBERS.exec(type) ?? []
  // DuckDB takes numbers of several kinds in nested lists of JSON Lines for text.
  const isNumber = INTEGERS.test(item) || FRACTIONS.test(item) || item === "VARCHAR" || item === "JSON"
  const isNested = isNumber && lists.split("]").length === 3
  if (size === undefined || (!isNested && type !== "VARCHAR" && type !== "JSON")) return undefined
  const vectors = type === "FLOAT[][]" ? c : tryCast(c, "FLOAT[][]")
  const odd = `list_filter(${vectors}, lambda x: x IS NULL OR len(x) <> ${size})`
  return partial(`CASE WHEN len(${odd}) = 0 THEN flatten(${vectors}) END`)
}

const TO: Readonly<Record<Layout, (type: string, c: string, wanted: ColumnType) => Conversion | undefined>> = {
  int32: (type, c) => toInteger(type, c, "INTEGER"),
  int64: (type, c) => toInteger(type, c, "BIGINT"),
  float32: (type, c) => toFloat(type, c, "FLOAT"),
  float64: (type, c) => toFloat(type, c, "DOUBLE"),
  bits: toBoolean,
  utf8: (type, c, { name }) => (name === "JSON" ? toJson(type, c) : toText(type, c)),
  bytes: toBytes,
  vector: toFloats,
  floats: toFloats,
  vectors: toVectors,
}

/** How the expression `c`, of the given DuckDB type, becomes `wanted`; undefined when it cannot. */
export const conversion = (type: string, c: string, wanted: ColumnType): Conversion | undefined =>
  TO[layoutOf(wanted)](type, c, wanted)
