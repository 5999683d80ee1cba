/** One reading of a table: what of it is needed. */
import type { Query } from "@lancedb/lancedb"
import type { OpenTable } from "../open.ts"
import type { Search } from "../search/rank.ts"

/** What a search makes of each row. */
export interface Score {
  readonly search: Search
  /** Equal for equal searches. */
  readonly key: string
  /** Its name in the engine. */
  readonly column: string
  /** It is read; otherwise it only says which rows are. */
  needed: boolean
}

/** A table in a FROM. */
export interface Scan {
  readonly table: OpenTable
  /** Its name in the FROM. */
  readonly alias: string
  /** Names of columns. */
  readonly needed: Set<string>
  readonly scores: Score[]
  /** The rows' ids are needed, to fetch columns later. */
  rowIds: boolean
  /** Which rows, in the store's SQL. */
  where?: string
  /** Rows that are enough. */
  limit?: number
  /**
   * Of those rows the ones that a search finds. With a limit so many of the best, if need be filled up with others;
   * `ties`: also all that have the same score as the last of them.
   */
  found?: { readonly score: Score; readonly limit?: number; readonly ties?: boolean }
}

/** The store's query for the rows of a scan. */
export const queryOf = ({ table: { table }, where, limit }: Scan): Query => {
  const query = table.query()
  if (where !== undefined) query.where(where)
  if (limit !== undefined) query.limit(limit)
  return query
}
