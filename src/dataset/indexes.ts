/** The indexes of a table, for who reads it: making them, and seeing what they cover. */
import { changeTable } from "../store/change.ts"
import { checkTableName } from "../store/database.ts"
import { buildIndex, type IndexOptions, type IndexResult, listTableIndexes, type TableIndex } from "../store/indexes.ts"
import { withTable } from "./open.ts"

/**
 * The indexes of a table, with the rows that each one covers.
 *
 * @throws {TableError} when there is no such table.
 */
export const listIndexes = (uri: string, name: string): Promise<TableIndex[]> =>
  withTable(uri, name, ({ table }) => listTableIndexes(table))

/**
 * Makes the index that a column's type calls for: TEXT gets BM25, EMBEDDING gets IVF_FLAT from 100,000 rows on, BOOL,
 * CLASS_LABEL and whole numbers with few distinct values a bitmap, other numbers a tree. One that is there is brought up
 * to date, and is left alone where it is complete; so calling it again does no harm.
 *
 * @returns what was built; below 100,000 vectors nothing, and `reason` says why.
 * @throws {TableError} when there is no such table, when it is being written, and "Index creation failed" for a column
 * that is missing or can have no such index.
 * @example
 * ```ts
 * await createIndex("./data", "documents", "text", { stem: true, language: "English" })
 * ```
 */
export const createIndex = async (
  uri: string,
  name: string,
  column: string,
  options: IndexOptions = {},
): Promise<IndexResult> => {
  checkTableName(name)
  return changeTable(uri, name, ({ table, schema }) => buildIndex(table, schema, column, options))
}
