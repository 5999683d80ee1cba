/** Reading rows as they are stored. */
import { HIDDEN_COLUMNS, isHidden } from "../model/rows.ts"
import { type At, checkColumns, checkCount, openToRead, queryWhere } from "./open.ts"
import { type Row, rowsOf } from "./scan.ts"

export interface ReadOptions {
  /** Which columns, in this order. Default: all but the hidden ones and those that are stored out of line. */
  readonly columns?: readonly string[]
  /** A condition in the store's SQL: `chunk_index < 3 AND text LIKE '%fox%'`. */
  readonly where?: string
  readonly limit?: number
  readonly offset?: number
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
  /** Adds the hidden columns (`_item`, `_row`, ...) before the others. */
  readonly hidden?: boolean
}

/**
 * Yields the rows of a table in the order in which they are stored, at the version that the table has at the start.
 * JSON stays text. Bytes and vectors are typed arrays, INT64 beyond the exact range of a number is a bigint.
 *
 * @throws {TableError} for a table or a column that is not there.
 * @throws {ConfigError} for a condition that the store refuses, or a count that is none.
 */
export async function* readRows(uri: string, name: string, options: ReadOptions = {}): AsyncGenerator<Row> {
  checkCount("limit", options.limit, 0)
  checkCount("offset", options.offset, 0)
  const open = await openToRead(uri, name, options.at)
  try {
    const { table, schema } = open
    const visible = [...schema].filter(([column, type]) => !isHidden(column) && !type.blob).map(([column]) => column)
    const named = options.columns ?? visible
    const columns = options.hidden ? [...HIDDEN_COLUMNS.filter((column) => schema.has(column)), ...named] : named
    checkColumns(open, columns)
    if (options.limit === 0) return
    const query = await queryWhere(open, options.where)
    if (options.limit !== undefined) query.limit(options.limit)
    if (options.offset !== undefined) query.offset(options.offset)
    yield* rowsOf(table, schema, query, columns)
  } finally {
    open.close()
  }
}
