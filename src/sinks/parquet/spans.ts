/**
 * The ledger of a shard: which of its rows are of which item. Neighbouring rows of one item and one commit are a span.
 *
 * It is kept in the shard's own metadata, so that rows and ledger are one file, and the columns of the file are only
 * those that a user of the data wants to see.
 */
import { promisify } from "node:util"
import { zstdCompress, zstdDecompress } from "node:zlib"
import { type Batch, concatBatches } from "../../model/batch.ts"
import { type Value, valueAt } from "../../model/column.ts"
import { HIDDEN_COLUMNS, hiddenColumns, type RowSpan } from "../../model/rows.ts"
import type { RowFilter } from "../../model/sink.ts"

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

export interface ShardSpan extends RowSpan {
  readonly commit: number
}

/** Rows of a side table do not tell the last row of an item, nor do they count up. */
export const hasLedger = (batch: Batch): boolean => HIDDEN_COLUMNS.every((name) => batch.columns.has(name))

const continues = (last: ShardSpan, next: ShardSpan, numbered: boolean): boolean =>
  last.item === next.item &&
  last.version === next.version &&
  last.commit === next.commit &&
  !last.end &&
  (!numbered || last.firstRow + last.rows === next.firstRow)

/** Joins spans where the rows of one go on with those of the one before. */
export const joinSpans = (spans: Iterable<ShardSpan>, numbered: boolean): ShardSpan[] => {
  const joined: ShardSpan[] = []
  for (const span of spans) {
    const last = joined.at(-1)
    if (last && continues(last, span, numbered)) {
      joined[joined.length - 1] = { ...last, rows: last.rows + span.rows, end: span.end }
    } else joined.push(span)
  }
  return joined
}

export const spansOf = (batch: Batch): ShardSpan[] => {
  const value = (name: string, row: number): Value => {
    const column = batch.columns.get(name)
    return column ? valueAt(column, row) : null
  }
  const numbered = hasLedger(batch)
  const rows = Array.from({ length: batch.rows }, (_, row) => ({
    item: String(value("_item", row) ?? ""),
    version: String(value("_version", row) ?? ""),
    firstRow: numbered ? Number(value("_row", row)) : 0,
    rows: 1,
    end: value("_end", row) === true,
    commit: Number(value("_commit", row) ?? 0),
  }))
  return joinSpans(rows, numbered)
}

/** The values of one name stand together, which compresses well. */
interface Packed {
  readonly item: readonly string[]
  readonly version: readonly string[]
  readonly firstRow: readonly number[]
  readonly rows: readonly number[]
  readonly end: readonly boolean[]
  readonly commit: readonly number[]
}

/** Spans as text: metadata must be. About 10 to 20 bytes for each. */
export const packSpans = async (spans: readonly ShardSpan[]): Promise<string> => {
  const packed: Packed = {
    item: spans.map(({ item }) => item),
    version: spans.map(({ version }) => version),
    firstRow: spans.map(({ firstRow }) => firstRow),
    rows: spans.map(({ rows }) => rows),
    end: spans.map(({ end }) => end),
    commit: spans.map(({ commit }) => commit),
  }
  return (await compress(JSON.stringify(packed))).toString("base64")
}

export const unpackSpans = async (text: string): Promise<ShardSpan[]> => {
  const packed = JSON.parse(String(await decompress(Buffer.from(text, "base64")))) as Packed
  return packed.item.map((item, at) => ({
    item,
    version: packed.version[at] ?? "",
    firstRow: packed.firstRow[at] ?? 0,
    rows: packed.rows[at] ?? 0,
    end: packed.end[at] ?? false,
    commit: packed.commit[at] ?? 0,
  }))
}

/** A span, and where in the shard its rows begin. */
export interface Placed {
  readonly start: number
  readonly span: ShardSpan
}

const keyOf = (item: string, version: string): string => `${item}\0${version}`

/** Whether a span is of one of the items, in the given version or in any. */
const among = (items: RowFilter["items"] = []): ((span: ShardSpan) => boolean) => {
  const names = new Set(items.flatMap(({ item, version }) => (version === undefined ? [item] : [])))
  const versions = new Set(items.flatMap(({ item, version }) => (version === undefined ? [] : [keyOf(item, version)])))
  return ({ item, version }) => names.has(item) || versions.has(keyOf(item, version))
}

/** Whether rows of a span match; which of them, is for `end` to say. */
const matcher = ({ commit, after, before, items, except }: RowFilter): ((span: ShardSpan) => boolean) => {
  const isIn = among(items)
  const isOut = among(except)
  return (span) =>
    (!except || !isOut(span)) &&
    (commit === undefined || span.commit === commit) &&
    (after === undefined || span.commit > after) &&
    (before === undefined || span.commit < before) &&
    (!items || isIn(span))
}

/** The rows for which the filter holds, and those for which it does not, both in order. */
export const divide = (
  spans: readonly ShardSpan[],
  filter: RowFilter,
): { readonly matching: Placed[]; readonly others: Placed[] } => {
  const matches = matcher(filter)
  const matching: Placed[] = []
  const others: Placed[] = []
  let start = 0
  for (const span of spans) {
    const found = matches(span)
    if (!found || (filter.end && !span.end)) others.push({ start, span })
    else if (!filter.end) matching.push({ start, span })
    else {
      const before = span.rows - 1
      if (before > 0) others.push({ start, span: { ...span, rows: before, end: false } })
      matching.push({ start: start + before, span: { ...span, firstRow: span.firstRow + before, rows: 1 } })
    }
    start += span.rows
  }
  return { matching, others }
}

/** The part of each span that lies in the rows `start` to `end` (exclusive) of the shard. */
export const within = (placed: readonly Placed[], start: number, end: number): Placed[] =>
  placed.flatMap(({ start: at, span }) => {
    const first = Math.max(at, start)
    const last = Math.min(at + span.rows, end)
    if (first >= last) return []
    const part = {
      ...span,
      firstRow: span.firstRow + first - at,
      rows: last - first,
      end: span.end && last === at + span.rows,
    }
    return [{ start: first, span: part }]
  })

/** The hidden columns of the rows of the spans. */
export const hiddenBatch = (spans: readonly ShardSpan[]): Batch => {
  const parts: Batch[] = []
  for (let first = 0; first < spans.length; ) {
    const commit = spans[first]?.commit ?? 0
    let last = first
    while (spans[last]?.commit === commit) last++
    const columns = hiddenColumns(spans.slice(first, last), commit)
    parts.push({ rows: columns.get("_row")?.length ?? 0, columns })
    first = last
  }
  return concatBatches(parts)
}
