/**
 * What the engine found, as rows of JavaScript. The result is a table of the engine first, so that an error in its last
 * row is heard before the first one is handed on, and large ones go to a file in place of memory.
 */
import type { DuckDBType, DuckDBValue } from "@duckdb/node-api"
import { type Column, type Value, valueAt } from "../../model/column.ts"
import { TableError } from "../../model/errors.ts"
import type { ColumnType } from "../../model/types.ts"
import { conversion, naturalType, sqlTypeOf } from "../../readers/types.ts"
import { columnOfChunk } from "../../readers/vectors.ts"
import { plainValue } from "../scan.ts"
import type { Engine } from "./engine.ts"

/** A value of a row. Lists, structs and the like of SQL are arrays and objects. */
export type QueryValue = Value | readonly QueryValue[] | { readonly [name: string]: QueryValue }

interface Reading {
  /** In terms of the column `c`. */
  readonly sql: string
  readonly type: ColumnType
  readonly decode: (value: Value) => QueryValue
}

/** The engine writes numbers that JSON does not have as words; here they stand in strings that nobody has. */
const WORDS = /"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)/g
const WORD = "\u0001"

const parsed = (value: Value): QueryValue => {
  if (typeof value !== "string") return value
  if (!/NaN|Infinity/.test(value)) return JSON.parse(value) as QueryValue
  const text = value.replaceAll(WORDS, (word) => (word.startsWith('"') ? word : JSON.stringify(`${WORD}${word}`)))
  return JSON.parse(text, (_, one: unknown) =>
    typeof one === "string" && one.startsWith(WORD) ? Number(one.slice(WORD.length)) : one,
  ) as QueryValue
}

const readingOf = (type: string, column: string, hasNulls: boolean): Reading => {
  const wide = /^(U?HUGEINT|UBIGINT)$/.test(type)
  if (wide) {
    const decode = (value: Value): QueryValue => (value === null ? null : plainValue(BigInt(value as string)))
    return { sql: `${column}::VARCHAR`, type: { name: "TEXT" }, decode }
  }
  if (type.startsWith("DECIMAL")) return { sql: `${column}::DOUBLE`, type: { name: "FLOAT64" }, decode: plainValue }
  const [, size] = /^FLOAT\[(\d+)\]$/.exec(type) ?? []
  if (size !== undefined) {
    return { sql: `${column}::FLOAT[]`, type: { name: "EMBEDDING", size: Number(size) }, decode: plainValue }
  }
  const [, width] = /^FLOAT\[(\d+)\]\[\]$/.exec(type) ?? []
  if (width !== undefined) {
    const sql = `flatten(${column}::FLOAT[][])`
    return { sql, type: { name: "MULTI_EMBEDDING", size: Number(width) }, decode: plainValue }
  }
  if (type === "FLOAT[]" && !hasNulls) return { sql: column, type: { name: "POINT" }, decode: plainValue }
  const natural = naturalType(type)
  const made = conversion(type, column, natural)
  // JSON is text, as it is stored; what SQL has made of values is what it stands for.
  return {
    sql: made?.sql ?? `${column}::VARCHAR`,
    type: natural,
    decode: natural.name === "JSON" && type !== "JSON" ? parsed : plainValue,
  }
}

/** So many values of a column, by row. */
export type Cells = (row: number) => QueryValue

export interface Page {
  readonly rows: number
  readonly cells: readonly Cells[]
}

const RESULT = '"result"'

const listsWithNulls = async ({ connection }: Engine, columns: readonly string[]): Promise<ReadonlySet<string>> => {
  if (columns.length === 0) return new Set()
  const tests = columns.map((column) => `coalesce(bool_or(len(${column}) <> list_count(${column})), false)`)
  const [row = []] = (await connection.runAndReadAll(`SELECT ${tests.join(", ")} FROM ${RESULT}`)).getRows()
  return new Set(columns.filter((_, index) => row[index] === true))
}

/** Runs the query, whose parameters have these values. */
export const runQuery = async (
  { connection }: Engine,
  text: string,
  columns: number,
  values: readonly DuckDBValue[],
  types: readonly DuckDBType[],
): Promise<void> => {
  const names = Array.from({ length: columns }, (_, index) => `c${index}`)
  const statement = `CREATE TEMP TABLE ${RESULT} AS SELECT * FROM (${text}) AS q(${names.join(", ")})`
  await connection.run(statement, [...values], [...types])
}

/** What was found, so many rows at a time as the engine hands over. */
export async function* readResult(engine: Engine, signal: AbortSignal): AsyncGenerator<Page> {
  const { connection, bindings } = engine
  const described = await connection.run(`FROM ${RESULT} LIMIT 0`)
  const types = described.columnTypes().map(sqlTypeOf)
  const names = types.map((_, index) => `c${index}`)
  const nulls = await listsWithNulls(
    engine,
    names.filter((_, index) => types[index] === "FLOAT[]"),
  )
  const readings = types.map((type, index) => readingOf(type, names[index] ?? "", nulls.has(names[index] ?? "")))
  let left = Number((await connection.runAndReadAll(`SELECT count(*) FROM ${RESULT}`)).getRows()[0]?.[0] ?? 0)
  // The connection's last query: another one would end the stream.
  const result = await connection.stream(`SELECT ${readings.map(({ sql }) => sql).join(", ")} FROM ${RESULT}`)
  let firstRow = 0
  while (left > 0) {
    signal.throwIfAborted()
    const chunk = await result.fetchChunk()
    signal.throwIfAborted()
    // A stream that fails looks like one that has ended.
    if (!chunk || chunk.rowCount === 0)
      throw new TableError("SQL: the result could not be read to its end; run the query again")
    const rows = chunk.rowCount
    const cells = readings.map(({ type, decode }, index): Cells => {
      const column: Column = columnOfChunk(bindings, chunk, rows, index, { name: names[index] ?? "", type, firstRow })
      return (row) => decode(valueAt(column, row))
    })
    yield { rows, cells }
    firstRow += rows
    left -= rows
  }
}
