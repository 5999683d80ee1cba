/** A built-in format by itself: `for await (const batch of new Coco({ ... }).normalize())`, without a run. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Batch, concatBatches } from "../model/batch.ts"
import { type Column, isNull, valueAt } from "../model/column.ts"
import { IngestError } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import type { Columns } from "../model/format.ts"
import { loadCode } from "../model/load-code.ts"
import { layoutOf } from "../model/types.ts"

const NUMBERS = ["int32", "int64", "float32", "float64"]

/** The values of a column, one entry a row: a typed array where it holds numbers and no nulls. */
const valuesOf = (column: Column): ArrayLike<unknown> =>
  NUMBERS.includes(layoutOf(column.type)) && !column.valid
    ? column.values
    : Array.from({ length: column.length }, (_, row) => (isNull(column, row) ? null : valueAt(column, row)))

const toColumns = (batches: readonly Batch[]): Columns =>
  Object.fromEntries([...concatBatches(batches).columns].map(([name, column]) => [name, valuesOf(column)]))

/**
 * The rows of a feed's items, one item after the other, in this thread.
 *
 * @param rows batches are put together until they have so many rows; for items that have few. Default 1: as they come.
 * @throws {IngestError} at the first item that cannot be read.
 */
export async function* columnsOf(feed: Feed, rows = 1): AsyncGenerator<Columns, void, undefined> {
  const normalize = await loadCode(feed.code)
  const tempDir = await mkdtemp(join(tmpdir(), "sluice-"))
  const abort = new AbortController()
  let gathered: Batch[] = []
  let count = 0
  const context = { signal: abort.signal, tempDir, maxBytes: Infinity, progress: () => {}, partial: () => {} }
  try {
    for await (const item of feed.source.items({ signal: abort.signal, warn: () => {} })) {
      if (item.error !== undefined) throw new IngestError(`${item.id}: ${item.error}`)
      const { lane } = feed.route(item)
      for await (const { batch } of normalize(item, { ...feed.code.options, lane }, context)) {
        gathered.push(batch)
        count += batch.rows
        if (count < rows) continue
        yield toColumns(gathered)
        gathered = []
        count = 0
      }
    }
    if (count > 0) yield toColumns(gathered)
  } finally {
    abort.abort()
    await rm(tempDir, { recursive: true, force: true })
  }
}
