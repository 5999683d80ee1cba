/** Search: the rows that fit words, a vector, or both, the best first. */
import { describeValue } from "../model/describe.ts"
import { ConfigError } from "../model/errors.ts"
import { isHidden } from "../model/rows.ts"
import type { TypeName } from "../model/types.ts"
import { listTableIndexes } from "../store/indexes.ts"
import { type At, checkColumns, checkCount, type OpenTable, withTableAt } from "./open.ts"
import { type Row, rowsById } from "./scan.ts"
import { checkSearch, rank, type Search } from "./search/rank.ts"

export type Vector = readonly number[] | Float32Array | Float64Array

export interface TextSearchOptions {
  /** The column to search. Default: the only one that can be; of several TEXT columns, the one that has an index. */
  readonly column?: string
  /** At most so many rows. Default 10. */
  readonly limit?: number
  /** Only rows that fulfil a condition in the store's SQL: `page_index < 3`. */
  readonly filter?: string
  /** Columns to return besides `_score`. Default: `_item`, `_row` and the text that was searched. */
  readonly columns?: readonly string[]
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

export interface SearchOptions extends TextSearchOptions {
  /**
   * - text: BM25 for any of its words, in a TEXT column
   * - a vector: cosine similarity, in an EMBEDDING column
   * - a list of vectors: MaxSim, in a MULTI_EMBEDDING column
   */
  readonly query: string | Vector | readonly Vector[]
  /** Text: rows must have any of the words (default), or all of them; those come in table order, with the score 1. */
  readonly match?: "any" | "all"
  /** Beside a vector: words, or beside words a vector. Both scores are added up with their weights, 0.5 by default. */
  readonly hybrid?: {
    readonly column?: string
    readonly query: string | Vector
    readonly weights?: { readonly vector: number; readonly text: number }
  }
}

/** The columns that were asked for, and how well the row fits: more is better. */
export type SearchRow = Row & { readonly _score: number }

const DEFAULT_LIMIT = 10

export const isVector = (query: unknown): query is Vector =>
  (Array.isArray(query) && query.length > 0 && typeof query[0] === "number") ||
  query instanceof Float32Array ||
  query instanceof Float64Array

/** The column that is searched where none is named. */
const columnOf = async (open: OpenTable, asked: string | undefined, type: TypeName): Promise<string> => {
  if (asked !== undefined) return asked
  const fitting = [...open.schema]
    .filter(([name, { name: of }]) => of === type && !isHidden(name))
    .map(([name]) => name)
  const indexes = fitting.length > 1 && type === "TEXT" ? await listTableIndexes(open.table) : []
  const indexed = fitting.filter((name) => indexes.some((index) => index.type === "BM25" && index.column === name))
  const candidates = indexed.length > 0 ? indexed : fitting
  const [only, second] = candidates
  if (only === undefined) throw new ConfigError(`Table ${JSON.stringify(open.name)} has no ${type} column to search`)
  if (second === undefined) return only
  const what = indexed.length > 0 ? "text indexes on several columns" : `several ${type} columns`
  throw new ConfigError(
    `Table ${JSON.stringify(open.name)} has ${what}; say which one to search: ${candidates.join(", ")}`,
  )
}

/**
 * What the options of a search ask for in this table, with the columns that they leave open.
 *
 * @throws {ConfigError} when it is not clear which column to search, and for what cannot be searched for.
 */
const searchOf = async (
  open: OpenTable,
  options: Omit<SearchOptions, "limit" | "filter" | "columns">,
): Promise<Search> => {
  const { query, column, match, hybrid } = options
  if (hybrid) {
    const [vector, text] = isVector(query) ? [options, hybrid] : [hybrid, options]
    if (match === "all") throw new ConfigError('match: "all" is for words alone; leave it or hybrid out')
    if (!isVector(vector.query) || typeof text.query !== "string") {
      throw new ConfigError(
        `hybrid: expected a vector and words, found ${describeValue(query)} and ${describeValue(hybrid.query)}`,
      )
    }
    return {
      kind: "hybrid",
      vectorColumn: await columnOf(open, vector.column, "EMBEDDING"),
      vector: vector.query,
      textColumn: await columnOf(open, text.column, "TEXT"),
      text: text.query,
      weights: hybrid.weights ?? { vector: 0.5, text: 0.5 },
    }
  }
  if (typeof query === "string") {
    return { kind: match === "all" ? "contains" : "text", column: await columnOf(open, column, "TEXT"), text: query }
  }
  if (match !== undefined) throw new ConfigError(`match: expected words as query, found ${describeValue(query)}`)
  if (isVector(query)) return { kind: "vector", column: await columnOf(open, column, "EMBEDDING"), vector: query }
  if (Array.isArray(query) && query.every(isVector)) {
    return { kind: "vectors", column: await columnOf(open, column, "MULTI_EMBEDDING"), vectors: query }
  }
  throw new ConfigError(`query: expected words, a vector or a list of vectors, found ${describeValue(query)}`)
}

const columnsOf = ({ schema }: OpenTable, search: Search): string[] => {
  const text = search.kind === "hybrid" ? search.textColumn : search.column
  return [
    ...["_item", "_row"].filter((hidden) => schema.has(hidden)),
    ...(schema.get(text)?.name === "TEXT" ? [text] : []),
  ]
}

/**
 * The rows that fit best, the best first, each with its `_score`; rows with the same score in table order. Answers are
 * exact: without an index the column is read, an index of words gives the same, and rows that came after it are found,
 * too. Only an index of vectors (IVF) can miss a neighbour.
 *
 * @throws {TableError} for a table or a column that is not there, or a column of another type.
 * @throws {ConfigError} for blank words, a vector of another width or of zeros, a condition that the store refuses, and
 * when it is not clear which column to search.
 * @example
 * ```ts
 * await search("./data", "documents", { query: "neural networks", filter: "page_index < 3", limit: 5 })
 * await search("./data", "documents", {
 *   column: "embedding",
 *   query: new Float32Array(384).fill(0.1),
 *   hybrid: { column: "text", query: "neural networks", weights: { vector: 0.7, text: 0.3 } },
 * })
 * ```
 */
export const search = (uri: string, name: string, options: SearchOptions): Promise<SearchRow[]> =>
  withTableAt(uri, name, options.at, async (open) => {
    checkCount("limit", options.limit, 1)
    if (options.column !== undefined) checkColumns(open, [options.column])
    const found = await searchOf(open, options)
    checkSearch(open, found)
    const columns = options.columns ?? columnsOf(open, found)
    checkColumns(open, columns)
    const { ids, scores } = await rank(open, found, { filter: options.filter, limit: options.limit ?? DEFAULT_LIMIT })
    const rows: SearchRow[] = []
    for await (const row of rowsById(open.table, open.schema, ids, columns)) {
      rows.push({ ...row, _score: scores[rows.length] ?? 0 })
    }
    return rows
  })

/** {@link search} for any of the words, which are taken as they are: there is no query language. */
export const searchText = (
  uri: string,
  name: string,
  words: string,
  options: TextSearchOptions = {},
): Promise<SearchRow[]> => search(uri, name, { ...options, query: words })
