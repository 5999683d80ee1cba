/** Thumbnails of the pictures in the columns of a batch. */
import type { Batch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import { messageOf } from "../model/errors.ts"
import { rowId } from "../model/ids.ts"
import type { Item } from "../model/item.ts"
import type { Rows } from "../model/normalizer.ts"
import { type ThumbnailEntry, thumbnailBatch, thumbnailsOf } from "./thumbnails.ts"

/** So many are decoded at a time: each takes the memory of a decoded picture. */
const AT_ONCE = 2

export interface PictureOptions {
  readonly item: Item
  /** Row of the item at which the batch starts. */
  readonly firstRow: number
  /** Is told of a picture that cannot be decoded; its row stays, without thumbnails. */
  readonly partial: (message: string) => void
  /** Called after each picture. */
  readonly progress: () => void
  /** So many of the item's first rows are in the table with their thumbnails; they are not made again. Absent: none. */
  readonly skip?: number
}

/**
 * `batch` with the thumbnails of the bytes in `columns` (columns that it lacks, and nulls, have none).
 *
 * @example
 * ```ts
 * const rows = await withThumbnails(batch, ["image"], { item, firstRow: 0, ...context })
 * ```
 */
export const withThumbnails = async (
  batch: Batch,
  columns: readonly string[],
  { item, firstRow, partial, progress, skip = 0 }: PictureOptions,
): Promise<Rows> => {
  const entries: ThumbnailEntry[] = []
  const add = async (row: number, name: string, bytes: Uint8Array): Promise<void> => {
    try {
      const thumbnails = await thumbnailsOf(bytes)
      entries.push({ row, fileId: rowId(item, firstRow + row), column: name, thumbnails })
    } catch (error) {
      partial(`no thumbnails of ${name} in row ${firstRow + row}: ${messageOf(error)}`)
    }
    progress()
  }
  let pending: Promise<void>[] = []
  for (let row = Math.max(0, skip - firstRow); row < batch.rows; row++) {
    for (const name of columns) {
      const column = batch.columns.get(name)
      const value = column && valueAt(column, row)
      if (!(value instanceof Uint8Array)) continue
      pending.push(add(row, name, value))
      if (pending.length < AT_ONCE) continue
      await Promise.all(pending)
      pending = []
    }
  }
  await Promise.all(pending)
  if (entries.length === 0) return { batch }
  // Side rows stand in the order of the rows that they belong to.
  const order = new Map(columns.map((name, index) => [name, index]))
  entries.sort((a, b) => a.row - b.row || (order.get(a.column) ?? 0) - (order.get(b.column) ?? 0))
  return { batch, side: { thumbnails: thumbnailBatch(entries) } }
}
