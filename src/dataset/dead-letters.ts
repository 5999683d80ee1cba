/** The records of items that have no rows, or not all of them. */
import { TableError } from "../model/errors.ts"
import type { ItemRecord } from "../model/item.ts"
import { sideTable, tableNames } from "../store/database.ts"
import { connectExisting } from "./open.ts"
import { readRows } from "./rows.ts"

export interface DeadLetterOptions {
  /** Items that are there in part and items without rows, too. Default false: the failed ones. */
  readonly all?: boolean
  /** Default: all of them. */
  readonly limit?: number
}

const COLUMNS = ["_item", "_version", "status", "stage", "error", "attempts", "run"]
const SHOWN: readonly unknown[] = ["failed", "partial", "empty"]

/**
 * The dead letters of a table, in the order in which they were written.
 *
 * @throws {TableError} when there is neither the table nor a record of an item that was meant for it.
 * @example
 * ```ts
 * for (const { item, error } of await deadLetters("./data", "docs")) console.log(item, error)
 * ```
 */
export const deadLetters = async (
  uri: string,
  table: string,
  { all = false, limit = Infinity }: DeadLetterOptions = {},
): Promise<ItemRecord[]> => {
  const db = await connectExisting(uri)
  const names = db ? await tableNames(db, true) : []
  db?.close()
  const items = sideTable(table, "items")
  if (!names.includes(items)) {
    if (names.includes(table)) return []
    throw new TableError(`Table ${JSON.stringify(table)} does not exist in ${uri}`)
  }
  const records: ItemRecord[] = []
  for await (const row of readRows(uri, items, { columns: COLUMNS })) {
    if (records.length >= limit) break
    const { _item: item, _version: version, ...rest } = row
    if (all ? SHOWN.includes(rest.status) : rest.status === "failed")
      records.push({ item, version, ...rest } as ItemRecord)
  }
  return records
}
