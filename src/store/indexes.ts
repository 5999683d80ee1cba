/** Indexes of a table: which there are, and building them anew where rows came since. */
import type { Index } from "@lancedb/lancedb"
import { ConfigError, messageOf, TableError } from "../model/errors.ts"
import { isHidden } from "../model/rows.ts"
import { type ColumnType, formatType, layoutOf, type Schema } from "../model/types.ts"
import { fromRecordBatch } from "./arrow.ts"
import { lancedb, type Table } from "./database.ts"
import { quoteName } from "./filter.ts"

/** What an index is for: words (BM25), vectors (IVF_FLAT), ranges and equality (BTREE), few distinct values (BITMAP). */
export type IndexType = "BM25" | "IVF_FLAT" | "BTREE" | "BITMAP"

export interface IndexOptions {
  /**
   * Default by the column: BM25 for TEXT, IVF_FLAT for EMBEDDING, BITMAP for BOOL, CLASS_LABEL and whole numbers with few
   * distinct values, BTREE for other numbers.
   */
  readonly type?: IndexType
  /** BM25: reduces words to their stems, so that `engine` finds `engines`. Default false. */
  readonly stem?: boolean
  /** BM25: the language of stems and stop words. Default English. */
  readonly language?: string
  /** BM25: leaves the frequent words of the language out, or those that are listed. Default false. */
  readonly stopWords?: boolean | readonly string[]
  /** IVF_FLAT: how many clusters the vectors are put into. Default: the square root of their number. */
  readonly partitions?: number
}

export interface TableIndex {
  readonly name: string
  readonly column: string
  /** An {@link IndexType}; for an index that others made, the store's own word. */
  readonly type: string
  readonly indexedRows: number
  /** Rows that came since the index was built. They are found, too: a search looks at them one by one. */
  readonly unindexedRows: number
  /** What the store says of how it was built. */
  readonly details: Readonly<Record<string, unknown>>
}

export interface IndexResult {
  readonly column: string
  readonly type: IndexType
  /** Whether an index was built now; otherwise it was there and complete, or there is to be none. */
  readonly built: boolean
  /** Why there is to be none. */
  readonly reason?: string
}

/** Without an index every vector is compared: a tenth of a second for so many, and no neighbour is missed. */
const MIN_VECTORS = 100_000
/** Up to so many distinct values a bitmap each is smaller than a tree, and faster. */
const MAX_BITMAPS = 1000
/** Clusters are computed anew only once this share of the rows came since; until then those are compared one by one. */
const STALE_VECTORS = 0.2

/** Those that the store knows; with another one it would end the process. */
const LANGUAGES = [
  "Arabic",
  "Danish",
  "Dutch",
  "English",
  "Finnish",
  "French",
  "German",
  "Greek",
  "Hungarian",
  "Italian",
  "Norwegian",
  "Portuguese",
  "Romanian",
  "Russian",
  "Spanish",
  "Swedish",
  "Tamil",
  "Turkish",
]

const TYPES: Readonly<Record<string, IndexType>> = {
  FTS: "BM25",
  IvfFlat: "IVF_FLAT",
  BTree: "BTREE",
  Bitmap: "BITMAP",
}

const indexName = (column: string): string => `${column}_idx`

/** All indexes of the table, in the order of their names. */
export const listTableIndexes = async (table: Table): Promise<TableIndex[]> => {
  const indexes = await table.listIndices()
  return indexes
    .map((index) => ({
      name: index.name,
      column: index.columns.join(", "),
      type: TYPES[index.indexType] ?? index.indexType,
      indexedRows: Number(index.numIndexedRows ?? 0),
      unindexedRows: Number(index.numUnindexedRows ?? 0),
      details: (index.indexDetails ?? {}) as Readonly<Record<string, unknown>>,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const failed = (column: string, why: string, cause?: unknown): TableError =>
  new TableError(`Index creation failed: column ${JSON.stringify(column)}${why}`, cause === undefined ? {} : { cause })

/** The types of index that a column can have, the usual one first. */
const possible = (type: ColumnType): readonly IndexType[] => {
  switch (type.name) {
    case "TEXT":
      return ["BM25", "BTREE", "BITMAP"]
    case "EMBEDDING":
      return ["IVF_FLAT"]
    case "BOOL":
      return ["BITMAP"]
    case "CLASS_LABEL":
      return ["BITMAP", "BTREE"]
    case "INT32":
    case "INT64":
      return ["BTREE", "BITMAP"]
    case "FLOAT32":
    case "FLOAT64":
      return ["BTREE"]
    default:
      return []
  }
}

/** Whether a column of whole numbers has no more distinct values than a bitmap each is good for. */
const hasFewValues = async (table: Table, column: string): Promise<boolean> => {
  const seen = new Set<number | bigint>()
  for await (const record of table
    .query()
    .select([column])
    .where(`${quoteName(column)} IS NOT NULL`)) {
    const values = fromRecordBatch(record).columns.get(column)?.values ?? []
    for (const value of values) seen.add(value)
    if (seen.size > MAX_BITMAPS) return false
  }
  return true
}

const checkOptions = (column: string, type: IndexType, options: IndexOptions): void => {
  const forText = options.stem !== undefined || options.language !== undefined || options.stopWords !== undefined
  if (forText && type !== "BM25") throw failed(column, `: stem, language and stopWords are for BM25, not for ${type}`)
  if (options.partitions === undefined) return
  if (type !== "IVF_FLAT") throw failed(column, `: partitions are for IVF_FLAT, not for ${type}`)
  if (!Number.isSafeInteger(options.partitions) || options.partitions < 1) {
    throw new ConfigError(`partitions: expected a whole number of at least 1, found ${options.partitions}`)
  }
}

interface Words {
  readonly stem: boolean
  readonly language: string
  readonly stopWords: boolean | readonly string[]
}

const languageOf = (text: string): string => {
  const found = LANGUAGES.find((language) => language.toLowerCase() === text.toLowerCase())
  if (found !== undefined) return found
  throw new ConfigError(`language: expected one of ${LANGUAGES.join(", ")}, found ${JSON.stringify(text)}`)
}

/** How the words of an index are made; what is not said stays as it is in the index that is there. */
const wordsOf = (options: IndexOptions, there: TableIndex | undefined): Words => {
  const { stem, language, remove_stop_words: removed, custom_stop_words: own } = there?.details ?? {}
  const stopWords = Array.isArray(own) ? (own as readonly string[]) : true
  return {
    stem: options.stem ?? stem === true,
    language: languageOf(options.language ?? (typeof language === "string" ? language : "English")),
    stopWords: options.stopWords ?? (removed === true && stopWords),
  }
}

const configOf = (type: IndexType, words: Words, partitions: number | undefined): Index => {
  const { Index: make } = lancedb()
  switch (type) {
    case "BM25":
      return make.fts({
        withPosition: false,
        stem: words.stem,
        language: words.language,
        removeStopWords: words.stopWords !== false,
        ...(typeof words.stopWords === "object" && { customStopWords: [...words.stopWords] }),
      })
    case "IVF_FLAT":
      return make.ivfFlat({ distanceType: "cosine", ...(partitions !== undefined && { numPartitions: partitions }) })
    case "BTREE":
      return make.btree()
    case "BITMAP":
      return make.bitmap()
  }
}

const isCurrent = ({ type, indexedRows, unindexedRows }: TableIndex): boolean =>
  unindexedRows === 0 || (type === "IVF_FLAT" && unindexedRows < STALE_VECTORS * (indexedRows + unindexedRows))

/**
 * Builds the index of a column where there is none, it was built otherwise, or rows came since.
 *
 * @throws {TableError} "Index creation failed" for a column that is missing or cannot have such an index, and where the
 * store refuses.
 */
export const buildIndex = async (
  table: Table,
  schema: Schema,
  column: string,
  options: IndexOptions = {},
): Promise<IndexResult> => {
  const columnType = schema.get(column)
  if (!columnType) {
    const visible = [...schema.keys()].filter((name) => !isHidden(name))
    throw failed(column, ` is not there; the table has ${visible.join(", ")}`)
  }
  const types = possible(columnType)
  const [usual] = types
  if (usual === undefined || (options.type !== undefined && !types.includes(options.type))) {
    const can = usual === undefined ? "no index" : types.join(" or ")
    const hint = usual === undefined ? "; TEXT, EMBEDDING, numbers, BOOL and CLASS_LABEL can" : ""
    const asked = options.type === undefined ? "" : `, not ${options.type}`
    throw failed(column, ` is ${formatType(columnType)}, which can have ${can}${asked}${hint}`)
  }
  const indexes = (await listTableIndexes(table)).filter((index) => index.column === column)
  // A tree over texts does not search their words; over numbers a tree and bitmaps are for the same.
  const wanted = options.type ? [options.type] : usual === "BM25" ? [usual] : types
  const there = indexes.find((index) => wanted.some((one) => one === index.type))
  const known = wanted.find((one) => one === there?.type)
  const whole = layoutOf(columnType) === "int32" || layoutOf(columnType) === "int64"
  const chosen = options.type ?? known
  const type = chosen ?? (whole && usual === "BTREE" && (await hasFewValues(table, column)) ? "BITMAP" : usual)
  checkOptions(column, type, options)
  const same = known === type ? there : undefined
  if (type === "IVF_FLAT" && !same && options.type === undefined && options.partitions === undefined) {
    const rows = await table.countRows()
    if (rows < MIN_VECTORS) {
      const reason = `${rows} rows are compared one by one: below ${MIN_VECTORS} that is exact, and fast without an index`
      return { column, type, built: false, reason }
    }
  }
  const words = wordsOf(options, same)
  const changed =
    options.partitions !== undefined || (type === "BM25" && JSON.stringify(words) !== JSON.stringify(wordsOf({}, same)))
  if (same && isCurrent(same) && !changed) return { column, type, built: false }
  // A TEXT column can have one for its words, and another one for its values.
  const name = same?.name ?? (type === usual || indexes.length === 0 ? indexName(column) : `${column}_${type}_idx`)
  try {
    // Built anew rather than through optimize(), which would rewrite the rows of all columns with it.
    await table.createIndex(column, { config: configOf(type, words, options.partitions), name, replace: true })
  } catch (error) {
    // What follows is where in Lance's sources that was found out.
    const [why] = messageOf(error).split(/, \/|\n/)
    throw failed(column, `: ${why}`, error)
  }
  return { column, type, built: true }
}

/** Builds the index of each column, anew where rows came since; see {@link buildIndex}. */
export const updateIndexes = async (table: Table, schema: Schema, columns: readonly string[]): Promise<void> => {
  for (const column of columns) await buildIndex(table, schema, column)
}
