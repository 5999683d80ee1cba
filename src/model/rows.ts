/** The hidden columns that every row carries, and with which the table is its own ledger. */
import { type Batch, batchOf } from "./batch.ts"
import { boolColumn, type Column, numberColumn, repeatedText } from "./column.ts"
import { ConfigError } from "./errors.ts"
import { concatColumns } from "./splice.ts"
import type { Schema } from "./types.ts"

/** `_item` and `_version` name the item; `_row` counts within it; `_commit` counts up; `_end` marks its last row. */
export const HIDDEN_COLUMNS = ["_item", "_version", "_row", "_commit", "_end"] as const

export const HIDDEN_SCHEMA: Schema = new Map([
  ["_item", { name: "TEXT" }],
  ["_version", { name: "TEXT" }],
  ["_row", { name: "INT32" }],
  ["_commit", { name: "INT64" }],
  ["_end", { name: "BOOL" }],
])

/** Names that the store gives to columns of its own. */
const STORE_COLUMNS = [
  "_rowid",
  "_rowaddr",
  "_rowoffset",
  "_row_created_at_version",
  "_row_last_updated_at_version",
  "_distance",
  "_score",
  "_relevance_score",
]

const RESERVED = new Set<string>([...HIDDEN_COLUMNS, ...STORE_COLUMNS])

export const isHidden = (column: string): boolean => RESERVED.has(column)

/** @throws {ConfigError} for a column name that is reserved, empty, or has a character that the store cannot name. */
export const checkColumnName = (name: string): void => {
  if (/[.`]/.test(name)) {
    throw new ConfigError(`Column name ${JSON.stringify(name)}: "." and "\`" are not allowed; use "_" instead`)
  }
  if (name === "" || RESERVED.has(name)) {
    throw new ConfigError(
      `Column name ${JSON.stringify(name)} is reserved; choose another one (reserved: ${[...RESERVED].join(", ")})`,
    )
  }
}

/** The item that the rows of an INSERT are. No source has it, and so none can be without it. */
export const sqlItem = (id: string): string => `sql:${id}`

/** `sql:` and a UUID. */
export const SQL_ITEM_LENGTH = 40

export const isSqlItem = (item: string): boolean => /^sql:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(item)

/** Consecutive rows of one item. */
export interface RowSpan {
  readonly item: string
  readonly version: string
  /** `_row` of the first of them. */
  readonly firstRow: number
  readonly rows: number
  /** The last of them is the item's last row. */
  readonly end: boolean
}

/** Consecutive rows of one item inside a batch. */
export interface Span extends RowSpan {
  /** What the item turned out to be: text, image, ...; the summary counts rows by it. */
  readonly medium: string
  /** See {@link Item}: what is there of it need not be taken back when the run stops. */
  readonly resumable?: true
}

/** The hidden columns for the rows of the given spans. */
export const hiddenColumns = (spans: readonly RowSpan[], commit: number): ReadonlyMap<string, Column> => {
  let total = 0
  for (const span of spans) total += span.rows
  const rows = new Int32Array(total)
  const ends = new Array<boolean>(total).fill(false)
  let at = 0
  for (const span of spans) {
    for (let row = 0; row < span.rows; row++) rows[at + row] = span.firstRow + row
    at += span.rows
    if (span.end) ends[at - 1] = true
  }
  return new Map([
    ["_item", concatColumns(spans.map((span) => repeatedText(span.item, span.rows)))],
    ["_version", concatColumns(spans.map((span) => repeatedText(span.version, span.rows)))],
    ["_row", numberColumn(rows, { name: "INT32" })],
    ["_commit", numberColumn(new BigInt64Array(total).fill(BigInt(commit)), { name: "INT64" })],
    ["_end", boolColumn(ends)],
  ])
}

/** `batch` with the hidden columns of its rows before its own. */
export const withHidden = (batch: Batch, spans: readonly Span[], commit: number): Batch =>
  batchOf(Object.fromEntries([...hiddenColumns(spans, commit), ...batch.columns]))
