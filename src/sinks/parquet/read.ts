/** Rows out of shards: those that a filter finds, with the columns that are asked for. */
import { join } from "node:path"
import { type Batch, concatBatches, sliceBatch } from "../../model/batch.ts"
import { type Column, nullColumn } from "../../model/column.ts"
import { isHidden } from "../../model/rows.ts"
import type { RowFilter } from "../../model/sink.ts"
import type { Schema } from "../../model/types.ts"
import { readParquet } from "../../parquet/read.ts"
import type { Shard } from "./shards.ts"
import { divide, hiddenBatch, type Placed, unpackSpans, within } from "./spans.ts"

/** Rows of a batch that needs no file. */
const LEDGER_ROWS = 65_536

/** Groups of neighbouring spans with about so many rows. */
function* grouped(placed: readonly Placed[]): Generator<readonly Placed[]> {
  let group: Placed[] = []
  let rows = 0
  for (const one of placed) {
    group.push(one)
    rows += one.span.rows
    if (rows < LEDGER_ROWS) continue
    yield group
    group = []
    rows = 0
  }
  if (group.length > 0) yield group
}

const ledgerBatch = (placed: readonly Placed[]): Batch => hiddenBatch(placed.map(({ span }) => span))

/** The rows of a shard that the spans tell, with columns of the file only. */
export async function* readSpans(
  root: string,
  shard: Shard,
  placed: readonly Placed[],
  schema: Schema,
): AsyncGenerator<{ readonly batch: Batch; readonly placed: readonly Placed[] }> {
  const first = placed[0]
  const last = placed.at(-1)
  if (!first || !last) return
  let start = first.start
  const rows = { start, end: last.start + last.span.rows }
  for await (const batch of readParquet(join(root, shard.name), schema, rows)) {
    const found = within(placed, start, start + batch.rows)
    if (found.length > 0) {
      const parts = found.map(({ start: at, span }) => sliceBatch(batch, at - start, at - start + span.rows))
      yield { batch: concatBatches(parts), placed: found }
    }
    start += batch.rows
  }
}

/** The given columns of the rows of a shard for which the filter holds, in order. */
export async function* readShard(
  root: string,
  shard: Shard,
  columns: readonly string[],
  types: Schema,
  filter: RowFilter,
): AsyncGenerator<Batch> {
  const { matching } = divide(await unpackSpans(shard.spans), filter)
  const known = columns.filter((name) => types.has(name))
  const inLedger = (name: string): boolean => shard.folded && isHidden(name)
  const inFile: Schema = new Map([...shard.schema].filter(([name]) => known.includes(name) && !inLedger(name)))

  const arrange = (batch: Batch, placed: readonly Placed[]): Batch => {
    const ledger = known.some(inLedger) ? ledgerBatch(placed) : undefined
    const arranged = known.flatMap((name): [string, Column][] => {
      const type = types.get(name)
      if (!type) return []
      const column = (inLedger(name) ? ledger : batch)?.columns.get(name)
      return [[name, column ? { ...column, type } : nullColumn(type, batch.rows)]]
    })
    return { rows: batch.rows, columns: new Map(arranged) }
  }

  if (inFile.size > 0) {
    for await (const { batch, placed } of readSpans(root, shard, matching, inFile)) yield arrange(batch, placed)
    return
  }
  for (const placed of grouped(matching)) {
    const rows = placed.reduce((sum, { span }) => sum + span.rows, 0)
    yield arrange({ rows, columns: new Map() }, placed)
  }
}
