/** Rows of a table file as batches, in the order of the file. */
import type { DuckDBConnection } from "@duckdb/node-api"
import { type Batch, batchBytes, concatBatches } from "../model/batch.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import { type ColumnType, formatType } from "../model/types.ts"
import { describeTable } from "./describe.ts"
import { connect, identifier, loadBindings } from "./duckdb.ts"
import { tableError } from "./errors.ts"
import { checkTableFile, type TableFile } from "./file.ts"
import { scanOf } from "./scan.ts"
import { conversion, isFloatList, naturalType, sqlTypeOf } from "./types.ts"
import { columnOfChunk } from "./vectors.ts"

export interface ReadColumn {
  /** Name of the column in the file. */
  readonly name: string
  /** Name in the batches. Default: `name`. */
  readonly as?: string
  /** An SQL expression over the file's columns, in place of the column `name`. Names in it are quoted by `identifier`. */
  readonly sql?: string
  /** Default: what {@link describeTable} says. */
  readonly type?: ColumnType
}

export interface ReadOptions {
  /** Default: all columns of the file. */
  readonly columns?: readonly ReadColumn[]
  /** Only for Parquet: rows from `start` (from 0) up to `end` (exclusive). What stands before is not decoded. */
  readonly rows?: { readonly start: number; readonly end: number }
  /** About how many rows a batch has. Default 8,192, or 4 MiB of them. */
  readonly batchRows?: number
  readonly signal?: AbortSignal
}

const BATCH = { rows: 8192, bytes: 4 << 20 }

interface Selected {
  readonly name: string
  readonly type: ColumnType
  readonly sql: string
}

const select = async (
  connection: DuckDBConnection,
  file: TableFile,
  columns: readonly ReadColumn[],
  from: string,
): Promise<readonly Selected[]> => {
  const expressions = columns.map(({ name, sql }) => sql ?? identifier(name))
  const prepared = await connection.prepare(`SELECT ${expressions.join(", ")} FROM ${from}`)
  try {
    return columns.map(({ name, as = name, type }, index) => {
      const found = sqlTypeOf(prepared.columnType(index))
      if (!type && isFloatList(found)) throw new RangeError(`column ${name}: the type of a list has to be given`)
      const wanted = type ?? naturalType(found)
      const sql = conversion(found, expressions[index] ?? "", wanted)
      if (sql === undefined) {
        throw new IngestError(
          `Column ${JSON.stringify(name)}: expected what can be ${formatType(wanted)}, found ${found} in ${file.path}. Give the column another type in "schema"`,
        )
      }
      return { name: as, type: wanted, sql }
    })
  } finally {
    prepared.destroySync()
  }
}

const byDescription = async (file: TableFile): Promise<readonly ReadColumn[]> => (await describeTable(file)).columns

/** The columns with a type each, as far as one is needed to know what to read. */
const typed = async (file: TableFile, columns: readonly ReadColumn[] | undefined): Promise<readonly ReadColumn[]> => {
  if (columns?.every(({ type, sql }) => type ?? sql)) return columns
  const described = await byDescription(file)
  if (!columns) return described
  const types = new Map(described.map(({ name, type }) => [name, type]))
  return columns.map((column) => {
    const type = column.type ?? (column.sql === undefined ? types.get(column.name) : undefined)
    return type ? { ...column, type } : column
  })
}

/**
 * Rows of a table file, in its order, as batches of typed columns. Main thread only.
 *
 * @throws {IngestError} when the file is not what its format says, a value does not fit its column's type exactly, or
 * a column cannot have the type that is asked for; naming the file, and the row (from 0) or line where that is known.
 * @throws the signal's reason, once it is aborted.
 * @example
 * ```ts
 * const file = { path: "train.parquet", format: "parquet" } as const
 * const columns = [{ name: "id" }, { name: "emb", type: { name: "EMBEDDING", size: 768 } }] as const
 * for await (const batch of readTable(file, { columns, rows: { start: 0, end: 100_000 } })) console.log(batch.rows)
 * ```
 */
export async function* readTable(file: TableFile, options: ReadOptions = {}): AsyncGenerator<Batch, void, undefined> {
  const { rows, batchRows = BATCH.rows, signal } = options
  signal?.throwIfAborted()
  checkTableFile(file)
  const bindings = await loadBindings()
  const columns = await typed(file, options.columns)
  const connection = await connect()
  const interrupt = (): void => connection.interrupt()
  signal?.addEventListener("abort", interrupt)
  try {
    const { from, where } = await scanOf(connection, file, columns, rows)
    const selected = await select(connection, file, columns, from)
    const list = selected.map(({ sql }, index) => `${sql} AS c${index}`)
    const result = await connection.stream(`SELECT ${list.join(", ")} FROM ${from}${where}`)
    let row = rows?.start ?? 0
    let parts: Batch[] = []
    let gathered = { rows: 0, bytes: 0 }
    const take = (): Batch => {
      const batch = concatBatches(parts)
      parts = []
      gathered = { rows: 0, bytes: 0 }
      return batch
    }
    for (;;) {
      const chunk = await result.fetchChunk()
      signal?.throwIfAborted()
      if (!chunk || chunk.rowCount === 0) break
      const batch: Batch = {
        rows: chunk.rowCount,
        columns: new Map(
          selected.map(({ name, type }, index) => [
            name,
            columnOfChunk(bindings, chunk, index, { name, type, firstRow: row }),
          ]),
        ),
      }
      row += batch.rows
      const bytes = batchBytes(batch)
      if (parts.length > 0 && (gathered.rows + batch.rows > batchRows || gathered.bytes + bytes > BATCH.bytes)) {
        yield take()
      }
      parts.push(batch)
      gathered = { rows: gathered.rows + batch.rows, bytes: gathered.bytes + bytes }
    }
    if (parts.length > 0) yield take()
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof IngestError) throw new IngestError(`${file.path}: ${messageOf(error)}`, { cause: error })
    throw await tableError(connection, file, error)
  } finally {
    signal?.removeEventListener("abort", interrupt)
    connection.closeSync()
  }
}
