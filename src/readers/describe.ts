/** What a table file holds: its columns and their types, and what a Parquet footer says besides. */
import type { DuckDBConnection } from "@duckdb/node-api"
import type { ColumnType } from "../model/types.ts"
import { identifier, literalPath, withConnection } from "./duckdb.ts"
import { tableError } from "./errors.ts"
import { checkTableFile, type TableFile } from "./file.ts"
import { isFloatList, naturalType, sqlTypeOf } from "./types.ts"

export interface TableColumn {
  readonly name: string
  /** DuckDB's type: `BIGINT`, `FLOAT[]`, `STRUCT(bytes BLOB, path VARCHAR)`. */
  readonly sqlType: string
  readonly type: ColumnType
}

export interface TableDescription {
  readonly columns: readonly TableColumn[]
  /** Parquet only, from its footer. */
  readonly footer?: Footer
}

export interface Footer {
  readonly rows: number
  readonly rowGroups: number
  /** Bytes of all values, encoded but not compressed. */
  readonly bytes: number
  /** The key-value metadata as text, such as `huggingface`. */
  readonly metadata: ReadonlyMap<string, string>
}

const query = async (connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> =>
  (await connection.runAndReadAll(sql)).getRowObjectsJS()

/** The length that all lists of a column have; undefined when they differ, are empty, or hold a null. */
const widthOf = async (connection: DuckDBConnection, from: string, name: string): Promise<number | undefined> => {
  const c = identifier(name)
  const look = async (limit: string): Promise<number | undefined> => {
    const [row] = await query(
      connection,
      `SELECT min(len(c)) AS low, max(len(c)) AS high, bool_and(len(c) = list_count(c)) AS full FROM (SELECT ${c} AS c FROM ${from}${limit})`,
    )
    const low = Number(row?.low ?? 0)
    return low > 0 && low === Number(row?.high) && row?.full === true ? low : undefined
  }
  // Most lists that differ do so among the first ones.
  return (await look(" LIMIT 2048")) === undefined ? undefined : look("")
}

const columnsOf = async (connection: DuckDBConnection, from: string): Promise<readonly TableColumn[]> => {
  const prepared = await connection.prepare(`SELECT * FROM ${from}`)
  const columns: TableColumn[] = []
  for (let index = 0; index < prepared.columnCount; index++) {
    const name = prepared.columnName(index)
    const sqlType = sqlTypeOf(prepared.columnType(index))
    const width = isFloatList(sqlType) ? await widthOf(connection, from, name) : undefined
    columns.push({ name, sqlType, type: width ? { name: "EMBEDDING", size: width } : naturalType(sqlType) })
  }
  prepared.destroySync()
  return columns
}

const footerOf = async (connection: DuckDBConnection, path: string): Promise<Footer> => {
  const [file] = await query(connection, `SELECT num_rows, num_row_groups FROM parquet_file_metadata(${path})`)
  const [sizes] = await query(
    connection,
    `SELECT sum(total_uncompressed_size)::DOUBLE AS bytes FROM parquet_metadata(${path})`,
  )
  const pairs = await query(
    connection,
    `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${path})`,
  )
  return {
    rows: Number(file?.num_rows),
    rowGroups: Number(file?.num_row_groups),
    bytes: Number(sizes?.bytes ?? 0),
    metadata: new Map(pairs.map(({ key, value }) => [String(key), String(value)])),
  }
}

/**
 * @throws {IngestError} when the file is missing, empty, a Git LFS pointer, or not what its format says.
 */
export const describeTable = (file: TableFile): Promise<TableDescription> =>
  withConnection(async (connection) => {
    checkTableFile(file)
    const path = literalPath(file.path)
    try {
      if (file.format === "parquet") {
        return {
          columns: await columnsOf(connection, `read_parquet(${path})`),
          footer: await footerOf(connection, path),
        }
      }
      return {
        columns: await columnsOf(connection, file.format === "jsonl" ? `read_json(${path})` : `read_csv(${path})`),
      }
    } catch (error) {
      throw await tableError(connection, file, error)
    }
  })
