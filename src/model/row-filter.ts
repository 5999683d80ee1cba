/** Which rows of a batch a {@link RowFilter} means, for sinks that have them in memory. */
import { type Batch, sliceBatch } from "./batch.ts"
import { valueAt } from "./column.ts"
import type { RowFilter } from "./sink.ts"

const hidden = (batch: Batch, name: string, row: number): unknown => {
  const column = batch.columns.get(name)
  return column ? valueAt(column, row) : null
}

/** The commit that a row came with; 0 where nothing says it. */
export const commitOf = (batch: Batch, row: number): number => Number(hidden(batch, "_commit", row) ?? 0)

const matches = (batch: Batch, row: number, filter: RowFilter): boolean => {
  const commit = commitOf(batch, row)
  if (filter.end && hidden(batch, "_end", row) !== true) return false
  if (filter.commit !== undefined && commit !== filter.commit) return false
  if (filter.after !== undefined && commit <= filter.after) return false
  if (filter.before !== undefined && commit >= filter.before) return false
  const isOneOf = (items: NonNullable<RowFilter["items"]>): boolean =>
    items.some(
      ({ item, version }) =>
        item === hidden(batch, "_item", row) && (version === undefined || version === hidden(batch, "_version", row)),
    )
  if (filter.except && isOneOf(filter.except)) return false
  return !filter.items || isOneOf(filter.items)
}

const runsOf = (batch: Batch, keep: (row: number) => boolean): Batch[] => {
  const parts: Batch[] = []
  let start = 0
  for (let row = 0; row <= batch.rows; row++) {
    if (row < batch.rows && keep(row)) continue
    if (row > start) parts.push(sliceBatch(batch, start, row))
    start = row + 1
  }
  return parts
}

/** The rows of a batch for which the filter holds, as views of it: a batch for each run of them. */
export const matchingRows = (batch: Batch, filter: RowFilter): Batch[] =>
  runsOf(batch, (row) => matches(batch, row, filter))

/** The rows for which it does not hold. */
export const otherRows = (batch: Batch, filter: RowFilter): Batch[] =>
  runsOf(batch, (row) => !matches(batch, row, filter))
