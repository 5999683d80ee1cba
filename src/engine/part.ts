/** Rows on their way to a commit, with the items that they belong to and the side rows that belong to them. */
import { type Batch, batchBytes, concatBatches, sliceBatch } from "../model/batch.ts"
import { valueAt } from "../model/column.ts"
import type { Span } from "../model/rows.ts"
import type { Schema } from "../model/types.ts"
import { conform } from "./contract.ts"

export interface Part {
  readonly batch: Batch
  readonly spans: readonly Span[]
  /** Side rows by the suffix of their table, with `_item`, `_version` and `_row`, in the order of the rows. */
  readonly side: Readonly<Record<string, Batch>>
}

export const partBytes = (part: Part): number =>
  Object.values(part.side).reduce((sum, side) => sum + batchBytes(side), batchBytes(part.batch))

/** One part of several, with the types of `schema`. */
export const joinParts = (parts: readonly Part[], schema: Schema): Part => ({
  batch: concatBatches(parts.map((part) => conform(part.batch, schema))),
  spans: parts.flatMap((part) => part.spans),
  side: Object.fromEntries(
    [...new Set(parts.flatMap((part) => Object.keys(part.side)))].map((name) => [
      name,
      concatBatches(parts.flatMap((part) => part.side[name] ?? [])),
    ]),
  ),
})

const splitSpans = (spans: readonly Span[], at: number): readonly [Span[], Span[]] => {
  const before: Span[] = []
  const after: Span[] = []
  let row = 0
  for (const span of spans) {
    const left = Math.min(Math.max(at - row, 0), span.rows)
    if (left > 0) before.push({ ...span, rows: left, end: span.end && left === span.rows })
    if (left < span.rows) after.push({ ...span, firstRow: span.firstRow + left, rows: span.rows - left })
    row += span.rows
  }
  return [before, after]
}

/** How many side rows belong to rows before those of `after`. */
const sideRowsBefore = (side: Batch, after: readonly Span[]): number => {
  const items = side.columns.get("_item")
  const rows = side.columns.get("_row")
  const [first, ...later] = after
  if (!items || !rows || !first) return side.rows
  const laterItems = new Set(later.map((span) => span.item))
  for (let i = 0; i < side.rows; i++) {
    const item = valueAt(items, i)
    const reached = item === first.item ? Number(rows.values[i]) >= first.firstRow : laterItems.has(String(item))
    if (reached) return i
  }
  return side.rows
}

/** The first `at` rows, and the others, if there are any. */
export const splitPart = (part: Part, at: number): readonly [Part, Part | undefined] => {
  if (at >= part.batch.rows) return [part, undefined]
  const [before, after] = splitSpans(part.spans, at)
  const left: Record<string, Batch> = {}
  const right: Record<string, Batch> = {}
  for (const [name, side] of Object.entries(part.side)) {
    const kept = sideRowsBefore(side, after)
    left[name] = sliceBatch(side, 0, kept)
    right[name] = sliceBatch(side, kept, side.rows)
  }
  return [
    { batch: sliceBatch(part.batch, 0, at), spans: before, side: left },
    { batch: sliceBatch(part.batch, at, part.batch.rows), spans: after, side: right },
  ]
}

/** A part for each item of it. */
export const splitItems = (part: Part): Part[] => {
  const parts: Part[] = []
  let rest: Part | undefined = part
  for (const span of part.spans) {
    if (!rest) break
    const [one, others]: readonly [Part, Part | undefined] = splitPart(rest, span.rows)
    parts.push(one)
    rest = others
  }
  return parts
}

/** The part without the rows of an open item, which stand at its end. */
export const withoutOpen = (part: Part, item: string, version: string): Part => {
  let rows = part.batch.rows
  for (let i = part.spans.length - 1; i >= 0; i--) {
    const span = part.spans[i]
    if (!span || span.end || span.item !== item || span.version !== version) break
    rows -= span.rows
  }
  return splitPart(part, rows)[0]
}
