/** Indexes for search: built once, brought up to date after each run. */
import { messageOf, TableError } from "../model/errors.ts"
import { formatType, type Schema } from "../model/types.ts"
import { lancedb, type Table } from "./database.ts"

export const indexName = (column: string): string => `${column}_idx`

/**
 * Builds the full-text index of each column, anew where rows came since.
 *
 * @throws {TableError} "Index creation failed" for a column that is missing or is not TEXT.
 */
export const updateIndexes = async (table: Table, schema: Schema, columns: readonly string[]): Promise<void> => {
  if (columns.length === 0) return
  const existing = await table.listIndices()
  for (const column of columns) {
    const type = schema.get(column)
    if (type?.name !== "TEXT") {
      const found = type ? `it is ${formatType(type)}` : `the table has ${[...schema.keys()].join(", ")}`
      throw new TableError(`Index creation failed: column ${JSON.stringify(column)} is no TEXT column; ${found}`)
    }
    const index = existing.find((one) => one.columns.includes(column))
    if (index && (await table.indexStats(index.name))?.numUnindexedRows === 0) continue
    try {
      // Whole words: a stemmer knows one language only, and files come in many.
      const config = lancedb().Index.fts({ stem: false, removeStopWords: false })
      // Built anew rather than through optimize(), which would rewrite the rows of all columns with it.
      await table.createIndex(column, { config, name: index?.name ?? indexName(column), replace: true })
    } catch (error) {
      throw new TableError(`Index creation failed: column ${JSON.stringify(column)}: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}
