/** Small questions to the Parquet files of a dataset. DuckDB is called from the main thread only. */
import { identifier, literalPath, withConnection } from "../../readers/duckdb.ts"
import { tableError } from "../../readers/errors.ts"
import { checkTableFile } from "../../readers/file.ts"
import { sqlTypeOf } from "../../readers/types.ts"

const parquet = (path: string) => ({ path, format: "parquet" as const })

/**
 * DuckDB's type of each column, in the order of the file.
 *
 * @throws {IngestError} when it is no Parquet file that can be read.
 */
export const columnTypes = (path: string): Promise<ReadonlyMap<string, string>> =>
  withConnection(async (connection) => {
    checkTableFile(parquet(path))
    try {
      const prepared = await connection.prepare(`SELECT * FROM read_parquet(${literalPath(path)})`)
      const types = new Map<string, string>()
      for (let index = 0; index < prepared.columnCount; index++) {
        types.set(prepared.columnName(index), sqlTypeOf(prepared.columnType(index)))
      }
      prepared.destroySync()
      return types
    } catch (error) {
      throw await tableError(connection, parquet(path), error)
    }
  })

/** @throws {IngestError} when it is no Parquet file that can be read. */
export const countRows = (path: string): Promise<number> =>
  withConnection(async (connection) => {
    checkTableFile(parquet(path))
    try {
      const result = await connection.runAndReadAll(`SELECT num_rows FROM parquet_file_metadata(${literalPath(path)})`)
      return Number(result.getRowObjectsJS()[0]?.num_rows ?? 0)
    } catch (error) {
      throw await tableError(connection, parquet(path), error)
    }
  })

/**
 * Rows with the named columns, as far as the file has them. For lists of episodes, not for frames.
 *
 * @throws {IngestError} when it is no Parquet file that can be read.
 */
export const selectRows = async (
  path: string,
  names: readonly string[],
): Promise<readonly Readonly<Record<string, unknown>>[]> => {
  const types = await columnTypes(path)
  const columns = names.filter((name) => types.has(name)).map(identifier)
  if (columns.length === 0) return []
  return withConnection(async (connection) => {
    try {
      const result = await connection.runAndReadAll(
        `SELECT ${columns.join(", ")} FROM read_parquet(${literalPath(path)})`,
      )
      return result.getRowObjectsJS()
    } catch (error) {
      throw await tableError(connection, parquet(path), error)
    }
  })
}
