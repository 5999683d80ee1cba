/** Making an index of a table that is there. */

import { changeTable } from "../store/change.ts"
import { updateIndexes } from "../store/indexes.ts"

/**
 * Makes the index of a column, or brings it up to date.
 *
 * @throws {TableError} "Index creation failed", when there is no such table, or when it is being written.
 */
export const createIndex = (uri: string, name: string, column: string): Promise<void> =>
  changeTable(uri, name, ({ table, schema }) => updateIndexes(table, schema, [column]))
