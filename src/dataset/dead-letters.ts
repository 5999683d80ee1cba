/** The records of items that have no rows, or not all of them. */
import { TableError } from "../model/errors.ts"
import type { ItemRecord } from "../model/item.ts"
import { sideTable, tableNames } from "../store/database.ts"
import { checkCount, connectExisting } from "./open.ts"
import { readRows } from "./rows.ts"

export interface DeadLetterOptions {
  /** Items that are there in part and items without rows, too. Default false: the failed ones. */
  readonly all?: boolean
  /** So many records at most; a whole number from 0. Default: all of them. */
  readonly limit?: number
}

const COLUMNS = ["_item", "_version", "status", "stage", "error", "attempts", "run"]
const SHOWN: readonly unknown[] = ["failed", "partial", "empty"]

/**
 * The dead letters of a Lance table, in the order in which they were written: one record for each item that failed, with
 * what was wrong with it. A record goes once its item has come through, and with `sync` once the item has vanished.
 *
 * @param uri folder of the database.
 * @throws {TableError} when there is neither the table nor a record of an item that was meant for it.
 * @throws {ConfigError} when `uri` is no local folder, or `limit` is no whole number.
 * @example
 * ```ts
 * for (const { item, attempts, error } of await deadLetters("./data", "docs")) console.log(item, attempts, error)
 * const all = await deadLetters("./data", "docs", { all: true })
 * console.log(`${all.filter(({ status }) => status === "partial").length} items are there in part`)
 * ```
 */
export const deadLetters = async (
  uri: string,
  table: string,
  { all = false, limit }: DeadLetterOptions = {},
): Promise<ItemRecord[]> => {
  checkCount("limit", limit, 0)
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
    if (records.length === limit) break
    const { _item: item, _version: version, ...rest } = row
    if (all ? SHOWN.includes(rest.status) : rest.status === "failed")
      records.push({ item, version, ...rest } as ItemRecord)
  }
  return records
}
