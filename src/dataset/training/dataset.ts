/** A version of a table for training: rows by number, batches of arrays, views, splits and samples. */
import type { Value } from "../../model/column.ts"
import { ConfigError, TableError } from "../../model/errors.ts"
import { isHidden } from "../../model/rows.ts"
import { layoutOf, type Schema } from "../../model/types.ts"
import { type At, checkColumns, checkCount, type OpenTable, openToRead } from "../open.ts"
import { plainValue, type Row } from "../scan.ts"
import { ahead } from "./ahead.ts"
import { type ColumnArrays, nullMask } from "./arrays.ts"
import { type Counted, type Epoch, epochOf } from "./epoch.ts"
import { checkRows, inOrder, shuffled } from "./order.ts"
import { loadRows, loadWindows, readArrays, readBatches, readingOf, scanRows } from "./read.ts"
import { sampleRows, splitRows } from "./sample.ts"
import { parseView } from "./view-query.ts"
import { narrow, picksOf, type ViewRows } from "./view-rows.ts"

export interface BatchesOptions {
  /** Which columns, in this order. Default: all but the hidden ones and those that are stored out of line (VIDEO). */
  readonly columns?: readonly string[]
  /** Only rows that fulfil this condition in the store's SQL: `label = 'cat' AND width > 640`. */
  readonly where?: string
  /** In an order by chance instead of that of the view. Default false. See docs/guide/training.md for what it mixes. */
  readonly shuffle?: boolean
  /** The same seed gives the same order, on every machine. Default: another one each time, see {@link Epoch}. */
  readonly seed?: number
  /** Rows of the epoch to leave out at its start: where an earlier one stopped. Default 0. */
  readonly position?: number
  /** Leave out a last batch that is not full. Default false. */
  readonly dropLast?: boolean
  /** So many batches are read while the last one is worked on. Default 2. */
  readonly prefetch?: number
}

export interface SampleOptions {
  /** How many rows to draw. Default: as many as the dataset has. */
  readonly size?: number
  /** Whether a row can be drawn several times. Default true. */
  readonly replacement?: boolean
  /** Default 0. */
  readonly seed?: number
}

/**
 * The rows of a table, or some of them, at the version that it had when it was opened: writers do not change what is
 * seen here. Views share the connection of the dataset that they were made of.
 */
export interface Dataset extends AsyncDisposable {
  readonly name: string
  /** Of the table. */
  readonly version: number
  /** Number of rows. */
  readonly length: number
  /** The columns that it has, without the hidden ones; `size` is the width of an EMBEDDING. */
  readonly schema: Schema
  /**
   * One row, from 0 to `length - 1`: with all its columns, or with the given ones. To read many, see `rows` and `batches`.
   *
   * @throws {ConfigError} for a number that is no row.
   */
  row(index: number, options?: Pick<BatchesOptions, "columns">): Promise<Row>
  /** The rows of these numbers, in this order, as one batch. The columns are those of `batches`. */
  rows<B = ColumnArrays>(indexes: ArrayLike<number>, options?: Pick<BatchesOptions, "columns">): Promise<B>
  /**
   * Batches of `size` rows (default 100) with an array for each column. See {@link ColumnArray} for which.
   *
   * @throws {TableError} for a column that is not there, while reading.
   * @throws {ConfigError} for a condition that the store refuses, while reading.
   */
  batches<B = ColumnArrays>(size?: number, options?: BatchesOptions): Epoch<B>
  /**
   * A view: `SELECT a, b WHERE c > 1 ORDER BY d LIMIT 1000`. Every part may be missing, but for the columns; `*` is all.
   *
   * @throws {TableError} for what is no such query, saying where.
   * @throws {ConfigError} for a condition that the store refuses.
   */
  query(sql: string): Promise<Dataset>
  /**
   * Parts by chance that have no row in common and make the whole together: `[0.8, 0.2]`, or numbers of rows. A share is
   * rounded down; the rows that are left over go to the parts in turn. In each part rows keep their order.
   *
   * @param seed default 0.
   * @throws {ConfigError} when the parts do not make the whole.
   */
  randomSplit(parts: readonly number[], seed?: number): Promise<Dataset[]>
  /**
   * Rows drawn by their weights, one for each row, in the order in which they are stored: shuffle the batches. With
   * replacement, a row whose share is 2.3 draws comes two or three times; without, no row comes twice.
   *
   * @throws {ConfigError} for weights that are none, or more rows than there are to draw.
   */
  sampleBy(weights: ArrayLike<number>, options?: SampleOptions): Promise<Dataset>
  /** Closes the connection, also for views: of a view it does nothing. */
  close(): Promise<void>
}

export interface OpenOptions {
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

/** What all views of a dataset share. */
interface Shared {
  readonly open: OpenTable
  readonly version: number
  /** Of the table. */
  readonly rows: number
  readonly isClosed: () => boolean
}

const DEFAULT_SIZE = 100
const DEFAULT_PREFETCH = 2
/** Record batches that the store makes while those before are cut up: see {@link recordsOf} for how large they are. */
const SCAN_AHEAD = 2

const checkSeed = (seed: number): number => {
  checkCount("seed", seed, 0)
  return seed
}

const datasetOf = (shared: Shared, schema: Schema, view: ViewRows, close: () => void): Dataset => {
  const { open, rows: tableRows } = shared
  const { name } = open
  let picked: Promise<Uint32Array | undefined> | undefined
  const picks = (): Promise<Uint32Array | undefined> => {
    picked ??= picksOf(open, view, tableRows)
    return picked
  }
  const checkOpen = (): void => {
    if (shared.isClosed()) throw new TableError(`Table ${JSON.stringify(name)} was closed; open it anew to read on`)
  }
  const reading = (columns: readonly string[], together?: boolean) => {
    checkOpen()
    checkColumns(
      { ...open, schema: new Map([...open.schema].filter(([one]) => isHidden(one) || schema.has(one))) },
      columns,
    )
    return readingOf(open, columns, together)
  }
  const scanned = [...schema].filter(([, type]) => !type.blob).map(([column]) => column)

  const subset = (next: ViewRows, columns: Schema = schema): Dataset => datasetOf(shared, columns, next, () => {})
  /** The chosen rows of the view, by their numbers in it. */
  const choose = async (chosen: Uint32Array): Promise<Dataset> => {
    const base = await picks()
    const positions = base ? chosen.map((index) => base[index] ?? 0) : chosen
    return subset({ length: positions.length, picks: positions })
  }

  const take = async (indexes: ArrayLike<number>, columns: readonly string[]): Promise<ColumnArrays> => {
    const plan = reading(columns, true)
    const base = await picks()
    const positions = Uint32Array.from(indexes, (index) => {
      if (!(Number.isInteger(index) && index >= 0 && index < view.length)) {
        throw new ConfigError(`Expected the number of a row, from 0 to ${view.length - 1}, found ${index}`)
      }
      return base ? (base[index] ?? 0) : index
    })
    return readArrays(plan, positions.length > 0 ? [await loadRows(plan, positions)] : [])
  }

  async function* read(size: number, options: BatchesOptions, seed: number): AsyncGenerator<Counted> {
    const { columns = scanned, where, shuffle = false, position = 0, dropLast = false } = options
    const plan = reading(columns)
    const rows = where === undefined ? view : await narrow(open, view, { where, orderBy: [], offset: 0 }, tableRows)
    if (!shuffle && !rows.picks) {
      return yield* readBatches(plan, ahead(scanRows(plan, rows.where, position), SCAN_AHEAD), size, dropLast)
    }
    checkRows(rows.length)
    const positions = rows === view ? await picks() : await picksOf(open, rows, tableRows)
    const windows = shuffle ? shuffled(rows.length, seed, position) : inOrder(rows.length, position)
    yield* readBatches(plan, ahead(loadWindows(plan, windows, positions), 1), size, dropLast)
  }

  return {
    name,
    version: shared.version,
    length: view.length,
    schema,
    row: async (index, { columns = [...schema.keys()] } = {}) => {
      const arrays = await take([index], columns)
      return Object.fromEntries(Object.keys(arrays).map((column) => [column, firstOf(arrays, column, open.schema)]))
    },
    // The caller says what the columns are; nobody checks.
    rows: async <B>(indexes: ArrayLike<number>, { columns = scanned }: Pick<BatchesOptions, "columns"> = {}) =>
      (await take(indexes, columns)) as B,
    batches: (size = DEFAULT_SIZE, options = {}) => {
      checkCount("batches", size, 1)
      checkCount("position", options.position, 0)
      checkCount("prefetch", options.prefetch, 0)
      const seed = checkSeed(options.seed ?? Math.floor(Math.random() * 2 ** 31))
      const { position = 0, prefetch = DEFAULT_PREFETCH } = options
      return epochOf(() => read(size, options, seed), { seed, position, prefetch })
    },
    query: async (sql) => {
      checkOpen()
      const query = await parseView(sql, name, [...schema.keys()])
      const columns = query.columns ?? [...schema.keys()]
      reading([...columns, ...query.orderBy.map(({ columnName }) => columnName)])
      const types = new Map(columns.flatMap((column) => [...open.schema].filter(([one]) => one === column)))
      return subset(await narrow(open, view, query, tableRows), types)
    },
    randomSplit: async (parts, seed = 0) => {
      checkOpen()
      checkRows(view.length)
      return Promise.all(splitRows(view.length, parts, checkSeed(seed)).map(choose))
    },
    sampleBy: async (weights, { size = view.length, replacement = true, seed = 0 } = {}) => {
      checkOpen()
      checkRows(view.length)
      checkCount("size", size, 0)
      return choose(sampleRows(view.length, weights, { size, replacement, seed: checkSeed(seed) }))
    },
    close: async () => close(),
    [Symbol.asyncDispose]: async () => close(),
  }
}

const vectorsOf = (floats: Float32Array, size: number): Float32Array[] =>
  Array.from({ length: floats.length / size }, (_, at) => floats.subarray(at * size, (at + 1) * size))

/** The only value of a column, as a row has it. */
const firstOf = (arrays: ColumnArrays, column: string, schema: Schema): Value => {
  const type = schema.get(column)
  const values = arrays[column]
  if (!type || !values || nullMask(arrays, column)) return null
  const layout = layoutOf(type)
  if (layout === "vector") return values as Float32Array
  if (layout === "bits") return values[0] === 1
  if (layout === "vectors") return vectorsOf(values[0] as Float32Array, type.size ?? 1)
  return plainValue(values[0] ?? null)
}

/**
 * Opens a table to train on it. Close it when it is no longer needed.
 *
 * @param uri folder of the database.
 * @throws {TableError} when there is no such table, version or tag.
 * @throws {ConfigError} when `uri` is no local folder.
 * @example
 * ```ts
 * const frames = await openTable("./data", "frames")
 * const [train, test] = await (await frames.query("SELECT state, action WHERE episode_index < 100")).randomSplit([0.9, 0.1])
 * for await (const { state, action } of train?.batches<{ state: Float32Array; action: Float32Array }>(256, { shuffle: true, seed: 1 }) ?? []) {
 *   console.log(state.length, action.length)
 * }
 * console.log(`${test?.length} rows to test with`)
 * await frames.close()
 * ```
 */
export const openTable = async (uri: string, name: string, { at }: OpenOptions = {}): Promise<Dataset> => {
  const open = await openToRead(uri, name, at)
  try {
    let closed = false
    const close = (): void => {
      if (closed) return
      closed = true
      open.close()
    }
    const rows = await open.table.countRows()
    const shared = { open, version: await open.table.version(), rows, isClosed: () => closed }
    const schema = new Map([...open.schema].filter(([column]) => !isHidden(column)))
    return datasetOf(shared, schema, { length: rows }, close)
  } catch (error) {
    open.close()
    throw error
  }
}
