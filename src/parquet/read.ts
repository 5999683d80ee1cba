/** Reads Parquet files that were written here, each column as the type that it was written with. */
import type { Batch } from "../model/batch.ts"
import type { Schema } from "../model/types.ts"
import type { RowRange } from "../readers/parquet.ts"
import { readTable } from "../readers/read.ts"

/**
 * The rows of a file, or a range of them, in batches of a few MiB. Main thread only.
 *
 * @param schema the columns to read, with the types that the file has for them.
 * @throws {IngestError} when the file is missing or damaged.
 */
export const readParquet = (path: string, schema: Schema, rows?: RowRange): AsyncIterable<Batch> => {
  const columns = [...schema].map(([name, type]) => ({ name, type }))
  return readTable({ path, format: "parquet" }, { columns, ...(rows && { rows }) })
}
