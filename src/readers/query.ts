/** The query that reads columns of a table file, each as a type, and finds the value that did not fit. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { describeValue } from "../model/describe.ts"
import { IngestError } from "../model/errors.ts"
import { type ColumnType, formatType } from "../model/types.ts"
import { type CsvHead, csvHead, csvScan, lineOfRow } from "./csv.ts"
import { identifier, literal } from "./duckdb.ts"
import type { TableFile } from "./file.ts"
import { jsonlScan } from "./jsonl.ts"
import { parquetScan, type RowRange } from "./parquet.ts"
import { type Conversion, conversion, naturalType, sqlTypeOf } from "./types.ts"

export interface Wanted {
  readonly name: string
  readonly as?: string
  readonly sql?: string
  readonly type?: ColumnType
}

interface Selected {
  readonly name: string
  readonly type: ColumnType
  /** DuckDB's type, before the conversion. */
  readonly found: string
  readonly raw: string
  readonly conversion: Conversion
}

export interface Query {
  readonly sql: string
  readonly columns: readonly Selected[]
  /**
   * Why the query failed: DuckDB's streams say that they have ended, not that they have failed.
   *
   * @throws {IngestError} for a value that does not fit; and what DuckDB throws.
   */
  readonly fail: () => Promise<never>
}

interface Scan {
  readonly from: string
  readonly where: string
  /** A column of the file in SQL. */
  readonly column: (name: string) => string
  readonly head?: CsvHead
}

/** A column of a CSV file in SQL. */
export const csvColumn = (names: readonly string[], name: string): string => {
  const index = names.indexOf(name)
  if (index >= 0) return `c${index}`
  throw new IngestError(
    `Expected a column ${JSON.stringify(name)}, found ${names.map((one) => JSON.stringify(one)).join(", ")}`,
  )
}

const scanOf = async (file: TableFile, wanted: readonly Wanted[], rows: RowRange | undefined): Promise<Scan> => {
  switch (file.format) {
    case "parquet":
      return { ...parquetScan(file, rows), column: identifier }
    case "jsonl": {
      const keys = new Map(wanted.map(({ name, type = { name: "JSON" } }): [string, ColumnType] => [name, type]))
      return { from: jsonlScan(file, keys), where: "", column: identifier }
    }
    default: {
      const head = await csvHead(file)
      return { from: csvScan(file, head), where: "", column: (name) => csvColumn(head.names, name), head }
    }
  }
}

const select = async (
  connection: DuckDBConnection,
  wanted: readonly Wanted[],
  { from, column }: Scan,
): Promise<readonly Selected[]> => {
  const expressions = wanted.map(({ name, sql }) => sql ?? column(name))
  const prepared = await connection.prepare(`SELECT ${expressions.join(", ")} FROM ${from}`)
  try {
    return wanted.map(({ name, as = name, type }, index) => {
      const raw = expressions[index] ?? ""
      const found = sqlTypeOf(prepared.columnType(index))
      const to = type ?? naturalType(found)
      const converted = conversion(found, raw, to)
      if (converted) return { name: as, type: to, found, raw, conversion: converted }
      throw new IngestError(
        `Column ${JSON.stringify(name)}: expected what can become ${formatType(to)}, found ${found}. Give the column another type in "schema"`,
      )
    })
  } finally {
    prepared.destroySync()
  }
}

/** A misfit ends the query: null would be a value like others. */
const strict = ({ name, raw, conversion: { sql, partial } }: Selected): string =>
  partial
    ? `CASE WHEN (${sql}) IS NULL AND (${raw}) IS NOT NULL THEN error(${literal(`misfit in ${name}`)}) ELSE ${sql} END`
    : sql

const findMisfit = async (
  connection: DuckDBConnection,
  file: TableFile,
  { from, where, head }: Scan,
  columns: readonly Selected[],
  start: number,
): Promise<string | undefined> => {
  for (const { name, type, raw, conversion: made } of columns) {
    if (!made.partial) continue
    const numbered = `SELECT row_number() OVER () - 1 AS n, (${raw})::VARCHAR AS raw, ${made.sql} AS made FROM ${from}${where}`
    const result = await connection.runAndReadAll(
      `SELECT n, raw FROM (${numbered}) WHERE raw IS NOT NULL AND made IS NULL LIMIT 1`,
    )
    const [row] = result.getRowObjectsJS()
    if (!row) continue
    const index = Number(row.n) + start
    const line = head ? `line ${await lineOfRow(file, head, index)}, ` : ""
    return `${line}column ${JSON.stringify(name)}, row ${index}: expected ${formatType(type)}, found ${describeValue(row.raw)}. Correct the value, or give the column another type: schema: { ${JSON.stringify(name)}: TEXT }`
  }
  return undefined
}

/**
 * A last row, with true in a column behind the others. A stream of DuckDB that fails looks like one that has ended:
 * only with this row it has.
 */
const withEnd = (select: string, columns: number): string =>
  `SELECT *, false FROM (${select}) UNION ALL SELECT ${"NULL, ".repeat(columns)}true`

/** @throws {IngestError} for a column that is not there, or cannot have the type that is asked for. */
export const queryOf = async (
  connection: DuckDBConnection,
  file: TableFile,
  wanted: readonly Wanted[],
  rows: RowRange | undefined,
): Promise<Query> => {
  const scan = await scanOf(file, wanted, rows)
  const columns = await select(connection, wanted, scan)
  const list = columns.map((column, index) => `${strict(column)} AS o${index}`)
  const statement = `SELECT ${list.join(", ")} FROM ${scan.from}${scan.where}`
  return {
    sql: withEnd(statement, columns.length),
    columns,
    fail: async () => {
      const misfit = await findMisfit(connection, file, scan, columns, rows?.start ?? 0)
      if (misfit !== undefined) throw new IngestError(misfit)
      // All values are made, and none is kept.
      await connection.run(
        `SELECT bit_xor(hash(${list.map((_, index) => `o${index}`).join(", ")})) FROM (${statement})`,
      )
      throw new IngestError("DuckDB ended before the end of the file, without an error; run again")
    },
  }
}
