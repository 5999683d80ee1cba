/** Full-text search: BM25 over the words of one column. */
import { ConfigError, TableError } from "../model/errors.ts"
import { lancedb, type Table } from "../store/database.ts"
import { type At, checkColumns, checkCount, type OpenTable, withTableAt } from "./open.ts"
import { type Row, rowsOf } from "./scan.ts"

export interface SearchOptions {
  /** The column to search. Default: the one that has an index. */
  readonly column?: string
  /** At most so many rows. Default 10. */
  readonly limit?: number
  /** Columns to return besides `_score`. Default: `_item`, `_row` and the one that was searched. */
  readonly columns?: readonly string[]
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

/** The columns that were asked for, and how well the row fits the words: more is better, and all are above 0. */
export type SearchRow = Row & { readonly _score: number }

const DEFAULT_LIMIT = 10

const textIndexes = async (table: Table): Promise<string[]> => {
  const indexes = await table.listIndices()
  return indexes.filter((index) => index.indexType === "FTS").flatMap((index) => index.columns)
}

const columnToSearch = async ({ name, table }: OpenTable, asked: string | undefined): Promise<string> => {
  const indexed = await textIndexes(table)
  if (asked !== undefined && indexed.includes(asked)) return asked
  const [only, ...others] = indexed
  if (only === undefined || asked !== undefined) {
    const column = asked ?? "text"
    const what = asked === undefined ? "no text index" : `no text index on column ${JSON.stringify(asked)}`
    const there = only === undefined ? "" : ` (it has one on ${indexed.join(", ")})`
    throw new TableError(
      `Table ${JSON.stringify(name)} has ${what}${there}. Make one with the next run into the table: --index ${column} on the command line, index: [${column}] in a pipeline`,
    )
  }
  if (others.length === 0) return only
  throw new ConfigError(
    `Table ${JSON.stringify(name)} has text indexes on several columns; say which one to search: ${indexed.join(", ")}`,
  )
}

/**
 * The rows that have any of the words, best first, each with its `_score`. Words are taken as they are: there is no
 * query language. Rows that came after the index was built are searched too.
 *
 * @throws {TableError} for a table, a column or an index that is not there.
 * @throws {ConfigError} for blank words, or when it is not clear which column to search.
 */
export const searchText = (
  uri: string,
  name: string,
  words: string,
  options: SearchOptions = {},
): Promise<SearchRow[]> =>
  withTableAt(uri, name, options.at, async (open) => {
    if (words.trim() === "") throw new ConfigError("Expected words to search for, found none")
    checkCount("limit", options.limit, 1)
    if (options.column !== undefined) checkColumns(open, [options.column])
    const { table, schema } = open
    const column = await columnToSearch(open, options.column)
    const columns = options.columns ?? [...["_item", "_row"].filter((hidden) => schema.has(hidden)), column]
    checkColumns(open, columns)
    const query = table
      .query()
      .fullTextSearch(new (lancedb().MatchQuery)(words, column))
      .limit(options.limit ?? DEFAULT_LIMIT)
    const rows: SearchRow[] = []
    for await (const row of rowsOf(table, schema, query, [...columns, "_score"])) {
      rows.push({ ...row, _score: Number(row._score) })
    }
    return rows
  })
