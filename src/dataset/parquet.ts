/** Writing a table as a Parquet file. */
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { link, mkdir, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import type { Batch } from "../model/batch.ts"
import { IngestError, TableError } from "../model/errors.ts"
import { isHidden } from "../model/rows.ts"
import type { Schema } from "../model/types.ts"
import { createParquet } from "../parquet/writer.ts"
import { batchesOf } from "../store/scan.ts"
import { type At, checkColumns, type OpenTable, queryWhere, withTableAt } from "./open.ts"

/** Which part of a table. */
export interface Selection {
  /** Which columns, in this order. Default: all but the hidden ones. */
  readonly columns?: readonly string[]
  /** A condition in the store's SQL: `width > 640 AND text LIKE '%fox%'`. */
  readonly where?: string
}

export interface Selected {
  readonly schema: Schema
  /** To be read once. */
  readonly batches: AsyncIterable<Batch>
}

/** @throws {TableError} for a column that cannot be written, unless the others are named. */
const columnsOf = async (open: OpenTable, named: readonly string[] | undefined): Promise<readonly string[]> => {
  if (named) {
    checkColumns(open, named)
    return [...new Set(named)]
  }
  const foreign = (await open.table.schema()).fields.find(({ name }) => !isHidden(name) && !open.schema.has(name))
  if (foreign) {
    throw new TableError(
      `Table ${JSON.stringify(open.name)}: column ${JSON.stringify(foreign.name)} is ${foreign.type}, which is no type of Sluice's; name the columns to write without it`,
    )
  }
  return [...open.schema.keys()].filter((column) => !isHidden(column))
}

/** The chosen part of an open table, read a few MiB at a time. */
export const select = async (open: OpenTable, { columns, where }: Selection): Promise<Selected> => {
  const names = await columnsOf(open, columns)
  const query = await queryWhere(open, where)
  const schema = new Map(names.flatMap((name) => [...open.schema].filter(([column]) => column === name)))
  return { schema, batches: batchesOf(open.table, open.schema, query, names) }
}

export interface ExportParquetOptions extends Selection {
  /** Replace a file that is there. Default: refuse to. */
  readonly overwrite?: boolean
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

export interface ExportParquetResult {
  readonly rows: number
  readonly bytes: number
}

/** Puts the finished file in its place, at once. */
const place = async (draft: string, path: string, overwrite: boolean): Promise<void> => {
  if (overwrite) return rename(draft, path)
  try {
    // Unlike a rename, it fails where something has come to be meanwhile.
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    throw existsError(path, error)
  }
  await rm(draft)
}

const existsError = (path: string, cause?: unknown): IngestError =>
  new IngestError(`${path} exists already; choose another name, or have it overwritten (--overwrite)`, { cause })

/**
 * Writes a table, at the version that it has now or at another one, as one Parquet file: row groups of up to 64 MiB, numbers and texts
 * compressed with zstd, and the columns' types for `datasets` in Python (pictures, videos, class names) and for Sluice.
 * The file is there once it is whole.
 *
 * | type | in Parquet |
 * |---|---|
 * | IMAGE, VIDEO, SEGMENT_MASK, BINARY_MASK | `struct<bytes: binary, path: string>`; there is no path |
 * | EMBEDDING, BOUNDING_BOX, POINT | `list<float>` |
 * | MULTI_EMBEDDING | `list<list<float>>` |
 * | JSON | text |
 * | others | what they are: texts, numbers, booleans, bytes |
 *
 * @throws {TableError} for a table or a column that is not there, or a column of a type that is not Sluice's.
 * @throws {ConfigError} for a condition that the store refuses.
 * @throws {IngestError} when the file exists.
 * @example
 * ```ts
 * const { rows } = await exportParquet("./data", "photos", "photos.parquet", { columns: ["image", "label"] })
 * ```
 */
export const exportParquet = (
  uri: string,
  name: string,
  path: string,
  { overwrite = false, at, ...selection }: ExportParquetOptions = {},
): Promise<ExportParquetResult> =>
  withTableAt(uri, name, at, async (open) => {
    const { schema, batches } = await select(open, selection)
    if (!overwrite && existsSync(path)) throw existsError(path)
    await mkdir(dirname(path), { recursive: true })
    const draft = `${path}.${randomUUID().slice(0, 8)}.partial`
    try {
      const file = await createParquet(draft, schema)
      try {
        for await (const batch of batches) await file.write(batch)
        await file.close()
      } catch (error) {
        await file.abort()
        throw error
      }
      await place(draft, path, overwrite)
      return { rows: file.rows, bytes: file.bytes }
    } finally {
      await rm(draft, { force: true })
    }
  })
