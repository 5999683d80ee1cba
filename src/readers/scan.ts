/** The part of a query that reads the file. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { identifier, literal, literalPath } from "./duckdb.ts"
import type { TableFile } from "./file.ts"

export interface Scan {
  readonly from: string
  /** Empty, or ` WHERE ...`. */
  readonly where: string
}

interface Range {
  readonly start: number
  readonly end: number
}

const ROW = "file_row_number"

const parquet = (file: TableFile, rows: Range | undefined): Scan => {
  const path = literalPath(file.path)
  if (!rows) return { from: `read_parquet(${path})`, where: "" }
  // Row groups outside of the range are skipped by it.
  return {
    from: `read_parquet(${path}, ${ROW}=true)`,
    where: ` WHERE ${ROW} >= ${rows.start} AND ${ROW} < ${rows.end}`,
  }
}

const jsonl = (file: TableFile, names: readonly string[]): Scan => {
  const columns = names.map((name) => `${literal(name)}: 'JSON'`)
  return {
    from: `read_json(${literalPath(file.path)}, format='newline_delimited', columns={${columns.join(", ")}})`,
    where: "",
  }
}

export const scanOf = async (
  _connection: DuckDBConnection,
  file: TableFile,
  columns: readonly { readonly name: string }[],
  rows?: Range,
): Promise<Scan> => {
  if (file.format === "parquet") return parquet(file, rows)
  if (file.format === "jsonl") return jsonl(file, [...new Set(columns.map(({ name }) => name))])
  const names = columns.map(({ name }) => `${literal(name)}: 'VARCHAR'`)
  return { from: `read_csv(${literalPath(file.path)}, columns={${names.join(", ")}})`, where: "" }
}

export const selectAll = (names: readonly string[]): string => names.map(identifier).join(", ")
