/** Parquet: its footer, and ranges of its rows. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { IngestError } from "../model/errors.ts"
import { literalPath } from "./duckdb.ts"
import type { TableFile } from "./file.ts"

/** Rows from `start` up to `end` (exclusive). */
export interface RowRange {
  readonly start: number
  readonly end: number
}

export interface ParquetFooter {
  readonly rows: number
  readonly rowGroups: number
  /** Bytes of all values as they are encoded, before compression. */
  readonly bytes: number
  /** The key-value metadata as text, such as `huggingface`. */
  readonly metadata: ReadonlyMap<string, string>
}

export const parquetFooter = async (connection: DuckDBConnection, file: TableFile): Promise<ParquetFooter> => {
  const path = literalPath(file.path)
  const query = async (sql: string): Promise<Record<string, unknown>[]> =>
    (await connection.runAndReadAll(sql)).getRowObjectsJS()
  const [counts] = await query(`SELECT num_rows, num_row_groups FROM parquet_file_metadata(${path})`)
  const [sizes] = await query(`SELECT sum(total_uncompressed_size)::DOUBLE AS bytes FROM parquet_metadata(${path})`)
  const groups = `SELECT any_value(row_group_num_rows) AS rows FROM parquet_metadata(${path}) GROUP BY row_group_id`
  const [inGroups] = await query(`SELECT coalesce(sum(rows), 0)::BIGINT AS rows FROM (${groups})`)
  // Rows are read by what the footer says of the whole; those of the groups beyond it would go without a word.
  if (counts?.num_rows !== inGroups?.rows) {
    throw new IngestError(
      `The Parquet file is damaged: its footer says that it has ${counts?.num_rows} rows, and its row groups ${inGroups?.rows}. Download or write it again`,
    )
  }
  const pairs = await query(`SELECT key, value FROM parquet_kv_metadata(${path})`)
  const decoder = new TextDecoder()
  const text = (value: unknown): string => (value instanceof Uint8Array ? decoder.decode(value) : String(value))
  return {
    rows: Number(counts?.num_rows),
    rowGroups: Number(counts?.num_row_groups),
    bytes: Number(sizes?.bytes ?? 0),
    metadata: new Map(pairs.map(({ key, value }) => [text(key), text(value)])),
  }
}

const ROW = "file_row_number"

/** With a range, row groups outside of it are not read, and what stands before it in its own group is not decoded. */
export const parquetScan = (
  { path }: TableFile,
  rows?: RowRange,
): { readonly from: string; readonly where: string } => {
  const from = `read_parquet(${literalPath(path)}, hive_partitioning=false${rows ? `, ${ROW}=true` : ""})`
  return { from, where: rows ? ` WHERE ${ROW} >= ${rows.start} AND ${ROW} < ${rows.end}` : "" }
}
