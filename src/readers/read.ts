/** Rows of a table file as batches, in the order of the file. */
import { randomUUID } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { DuckDBDataChunk } from "@duckdb/node-api"
import { type Batch, batchBytes, concatBatches } from "../model/batch.ts"
import type { Column } from "../model/column.ts"
import { IngestError, messageOf } from "../model/errors.ts"
import type { ColumnType } from "../model/types.ts"
import { describeTable } from "./describe.ts"
import { type Bindings, connect, loadBindings, planned } from "./duckdb.ts"
import { checkEnd } from "./end.ts"
import { duckDbMessage } from "./errors.ts"
import { type ByteRange, checkTableFile, type TableFile } from "./file.ts"
import { withJsonNumbers } from "./json-numbers.ts"
import { copyRange, linesBefore } from "./jsonl.ts"
import type { RowRange } from "./parquet.ts"
import { type Query, queryOf } from "./query.ts"
import { columnOfChunk, endsWithTrue } from "./vectors.ts"

export interface ReadColumn {
  /** Name of the column in the file. */
  readonly name: string
  /** Name in the batches. Default: `name`. */
  readonly as?: string
  /** Parquet: an SQL expression over the file's columns (see `identifier`) in place of the column `name`. */
  readonly sql?: string
  /** Default: what {@link describeTable} says; of an expression, what its DuckDB type is by itself. */
  readonly type?: ColumnType
}

export interface ReadOptions {
  /** Default: all columns of the file. */
  readonly columns?: readonly ReadColumn[]
  /** Parquet: only these rows. What stands before them is skipped, not decoded. */
  readonly rows?: RowRange
  /** JSONL: only the lines in these bytes (see `lineRanges`); they are copied to a file in `tempDir`. */
  readonly bytes?: ByteRange & { readonly tempDir: string }
  /** About how many rows a batch has. Default 8,192, or 4 MiB of them. */
  readonly batchRows?: number
  readonly signal?: AbortSignal
}

const BATCH = { rows: 8192, bytes: 4 << 20 }

/** The columns with a type each, as far as one is needed to know what to read. */
const typed = async (file: TableFile, columns: readonly ReadColumn[] | undefined): Promise<readonly ReadColumn[]> => {
  if (columns?.every(({ type, sql }) => type ?? sql)) return columns
  const described = (await describeTable(file)).columns
  if (!columns) return described
  const types = new Map(described.map(({ name, type }) => [name, type]))
  return columns.map((column) => {
    const type = column.type ?? (column.sql === undefined ? types.get(column.name) : undefined)
    return type ? { ...column, type } : column
  })
}

/** The first `rows` of a chunk. */
const batchOfChunk = (
  bindings: Bindings,
  chunk: DuckDBDataChunk,
  rows: number,
  { columns: selected }: Query,
  firstRow: number,
): Batch => {
  const columns = new Map<string, Column>()
  for (const [index, { name, type, found }] of selected.entries()) {
    const column = columnOfChunk(bindings, chunk, rows, index, { name, type, firstRow })
    const numbers = type.name === "JSON" && /FLOAT|DOUBLE/.test(found)
    columns.set(name, numbers ? withJsonNumbers(column) : column)
  }
  return { rows, columns }
}

/** Small batches put together until they are large enough to be worth handing on. */
async function* gathered(batches: AsyncIterable<Batch>, most: number): AsyncGenerator<Batch, void, undefined> {
  let parts: Batch[] = []
  let rows = 0
  let bytes = 0
  for await (const batch of batches) {
    const size = batchBytes(batch)
    if (parts.length > 0 && (rows + batch.rows > most || bytes + size > BATCH.bytes)) {
      yield concatBatches(parts)
      parts = []
      rows = 0
      bytes = 0
    }
    parts.push(batch)
    rows += batch.rows
    bytes += size
  }
  if (parts.length > 0) yield concatBatches(parts)
}

/** All batches of a file, as DuckDB gives them: of 2,048 rows at most. */
async function* chunks(
  file: TableFile,
  { columns, rows, signal }: ReadOptions,
): AsyncGenerator<Batch, void, undefined> {
  const bindings = await loadBindings()
  const wanted = await typed(file, columns)
  const connection = await connect()
  const interrupt = (): void => connection.interrupt()
  signal?.addEventListener("abort", interrupt)
  try {
    const query = await queryOf(connection, file, wanted, rows)
    let row = rows?.start ?? 0
    // Why it cannot begin is found out in the same way as why it does not get to its end.
    const plan = () => connection.stream(query.sql)
    const result = await planned(query.columns.length, plan).catch(() => undefined)
    for (let ended = false; !ended; ) {
      const chunk = await result?.fetchChunk()
      signal?.throwIfAborted()
      if (!chunk || chunk.rowCount === 0) return await query.fail()
      ended = endsWithTrue(bindings, chunk, query.columns.length)
      const count = chunk.rowCount - (ended ? 1 : 0)
      if (count > 0) yield batchOfChunk(bindings, chunk, count, query, row)
      row += count
    }
  } finally {
    signal?.removeEventListener("abort", interrupt)
    connection.closeSync()
  }
}

/**
 * Rows of a table file, in its order, as batches of typed columns. Main thread only.
 *
 * @throws {IngestError} when the file is not what its format says, a value does not fit its column's type exactly, or
 * a column cannot have the type that is asked for; naming the file, and the row (from 0) or line (from 1).
 * @throws the signal's reason, once it is aborted.
 * @example
 * ```ts
 * const file = { path: "train.parquet", format: "parquet" } as const
 * const columns = [{ name: "id" }, { name: "emb", type: { name: "EMBEDDING", size: 768 } }] as const
 * for await (const batch of readTable(file, { columns, rows: { start: 0, end: 100_000 } })) console.log(batch.rows)
 * ```
 */
export async function* readTable(file: TableFile, options: ReadOptions = {}): AsyncGenerator<Batch, void, undefined> {
  const { bytes, signal, batchRows = BATCH.rows } = options
  const part = bytes && join(bytes.tempDir, `${randomUUID()}.jsonl`)
  const left = new AbortController()
  signal?.throwIfAborted()
  checkTableFile(file)
  try {
    // Beside DuckDB, on a thread of its own.
    const whole = checkEnd(file, left.signal)
    whole.catch(() => undefined)
    if (bytes && part) await copyRange(file.path, bytes, part)
    yield* gathered(chunks(part ? { ...file, path: part } : file, options), batchRows)
    await whole
  } catch (error) {
    signal?.throwIfAborted()
    const message = error instanceof IngestError ? messageOf(error) : await duckDbMessage(error, file.path, bytes)
    const from = bytes && bytes.start > 0 && /\brow \d/.test(message) ? await linesBefore(file.path, bytes.start) : 0
    const counted = from > 0 ? ` (row 0 of this part is line ${from + 1})` : ""
    throw new IngestError(`${file.path}: ${message}${counted}`, { cause: error })
  } finally {
    left.abort()
    if (part) await rm(part, { force: true })
  }
}
