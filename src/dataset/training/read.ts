/**
 * Reads rows into batches of arrays.
 *
 * Columns of bytes are fetched for each batch, in one call a column, by the ids of its rows; the others come with the
 * scan, or, where rows are picked or shuffled, for many rows at a time, sorted by where they lie.
 */
import type { RecordBatch } from "apache-arrow"
import { type Batch, concatBatches } from "../../model/batch.ts"
import { TableError } from "../../model/errors.ts"
import { type ColumnType, layoutOf } from "../../model/types.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { recordsOf } from "../../store/records.ts"
import { fetchColumn, type Heavy } from "../../store/scan.ts"
import { type OpenTable, queryWhere } from "../open.ts"
import { arraysOf, type ColumnArray, type ColumnArrays, type Piece } from "./arrays.ts"
import { WINDOW_ROWS } from "./order.ts"

/** Of what is read at a time, where the width of rows is known. */
const LOAD_BYTES = 32 << 20
/** What a value of varying width is taken for. */
const TEXT_BYTES = 256

/** What is read of each row. */
export interface Reading {
  readonly open: OpenTable
  /** In the order of the caller. */
  readonly columns: readonly (readonly [name: string, type: ColumnType])[]
  readonly light: readonly string[]
  readonly heavy: readonly Heavy[]
  /** So many rows at a time, where they are not scanned. */
  readonly loadRows: number
}

const widthOf = (type: ColumnType): number => {
  const layout = layoutOf(type)
  return layout === "vector"
    ? 4 * (type.size ?? 1)
    : layout === "utf8" || layout === "floats" || layout === "vectors"
      ? TEXT_BYTES
      : 8
}

/** `together`: bytes that lie beside the other columns are read with them, as is best for a few rows at once. */
export const readingOf = (open: OpenTable, names: readonly string[], together = false): Reading => {
  const { schema } = open
  const columns = [...new Set(names)].flatMap((name): [string, ColumnType][] => {
    const type = schema.get(name)
    return type ? [[name, type]] : []
  })
  const isHeavy = ([, type]: Heavy): boolean => layoutOf(type) === "bytes" && !(together && !type.blob)
  const heavy = columns.filter(isHeavy)
  const light = columns.filter((column) => !isHeavy(column))
  const bytes = light.reduce((sum, [, type]) => sum + widthOf(type), 8)
  return {
    open,
    columns,
    light: light.map(([name]) => name),
    heavy,
    loadRows: Math.max(1, Math.min(WINDOW_ROWS, Math.floor(LOAD_BYTES / bytes))),
  }
}

/** Rows with the ids by which their bytes are fetched. */
interface Loaded extends Piece {
  readonly ids?: BigUint64Array
}

/** Without any column the store would not say how many rows there are. */
const needsIds = ({ heavy, light }: Reading): boolean => heavy.length > 0 || light.length === 0

const idsOf = (record: RecordBatch): BigUint64Array => {
  const vector = record.getChild("_rowid")
  return vector ? (vector.toArray() as BigUint64Array) : new BigUint64Array(0)
}

/** The rows that fulfil the condition, in the order in which they are stored, from the `position`th on. */
export async function* scanRows(reading: Reading, where: string | undefined, position: number): AsyncGenerator<Loaded> {
  const query = (await queryWhere(reading.open, where)).select([...reading.light])
  const ids = needsIds(reading)
  if (ids) query.withRowId()
  if (position > 0) query.offset(position)
  for await (const record of recordsOf(reading.open.table, query)) {
    const batch = fromRecordBatch(record)
    yield {
      batch: { rows: record.numRows, columns: batch.columns },
      start: 0,
      end: record.numRows,
      ...(ids && { ids: idsOf(record) }),
    }
  }
}

/** The rows at the given positions of the table, in the given order; one may come several times. */
export const loadRows = async (reading: Reading, positions: Uint32Array): Promise<Loaded> => {
  // The store gives them sorted. Both numbers fit into a float: positions have 32 bits, and places in a load 14.
  const keys = new Float64Array(positions.length)
  const places = positions.length
  for (let at = 0; at < places; at++) keys[at] = (positions[at] ?? 0) * places + at
  keys.sort()
  const rows = new Uint32Array(places)
  const sorted = new Array<number>(places)
  for (let at = 0; at < places; at++) {
    const key = keys[at] ?? 0
    sorted[at] = Math.floor(key / places)
    rows[key % places] = at
  }
  const ids = needsIds(reading)
  const query = reading.open.table.takeOffsets(sorted).select([...reading.light])
  if (ids) query.withRowId()
  const batches: Batch[] = []
  const rowIds: BigUint64Array[] = []
  let found = 0
  for await (const record of query) {
    batches.push({ rows: record.numRows, columns: fromRecordBatch(record).columns })
    if (ids) rowIds.push(idsOf(record))
    found += record.numRows
  }
  if (found !== places) {
    throw new TableError(
      `Table ${JSON.stringify(reading.open.name)}: expected ${places} rows, found ${found}. The version that was opened is not whole any more; open the table anew`,
    )
  }
  const batch = concatBatches(batches)
  if (!ids) return { batch, rows, start: 0, end: places }
  const all = new BigUint64Array(places)
  let at = 0
  for (const some of rowIds) {
    all.set(some, at)
    at += some.length
  }
  return { batch, rows, start: 0, end: places, ids: all }
}

/** As {@link loadRows} for windows of rows, so many at a time as make a few MiB. `picks` says where each of them lies. */
export async function* loadWindows(
  reading: Reading,
  windows: Iterable<Uint32Array>,
  picks: Uint32Array | undefined,
): AsyncGenerator<Loaded> {
  for (const window of windows) {
    for (let start = 0; start < window.length; start += reading.loadRows) {
      const part = window.slice(start, start + reading.loadRows)
      if (picks) for (let at = 0; at < part.length; at++) part[at] = picks[part[at] ?? 0] ?? 0
      yield await loadRows(reading, part)
    }
  }
}

/** The rows of the pieces as arrays, with their bytes. */
export const readArrays = async (reading: Reading, pieces: readonly Loaded[]): Promise<ColumnArrays> => {
  const { heavy, columns, open } = reading
  if (heavy.length === 0) return arraysOf(columns, pieces)
  const ids: bigint[] = []
  for (const { ids: own = new BigUint64Array(0), rows, start, end } of pieces) {
    for (let at = start; at < end; at++) ids.push(own[rows?.[at] ?? at] ?? 0n)
  }
  const fetched = await Promise.all(
    heavy.map(
      async (column): Promise<[string, ColumnArray]> => [column[0], await fetchColumn(open.table, column, ids)],
    ),
  )
  return arraysOf(columns, pieces, new Map(fetched))
}

/** Batches of `size` rows each; the last one is shorter, or left out. */
export async function* readBatches(
  reading: Reading,
  source: AsyncGenerator<Loaded>,
  size: number,
  dropLast: boolean,
): AsyncGenerator<{ readonly rows: number; readonly arrays: ColumnArrays }> {
  let pieces: Loaded[] = []
  let rows = 0
  for await (const loaded of source) {
    for (let start = loaded.start; start < loaded.end; ) {
      const end = Math.min(loaded.end, start + size - rows)
      pieces.push({ ...loaded, start, end })
      rows += end - start
      start = end
      if (rows < size) continue
      yield { rows, arrays: await readArrays(reading, pieces) }
      pieces = []
      rows = 0
    }
  }
  if (rows > 0 && !dropLast) yield { rows, arrays: await readArrays(reading, pieces) }
}
