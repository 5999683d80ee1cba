/** The tables of a database: listing, dropping, freeing them. */
import { TableError } from "../model/errors.ts"
import { checkTableName, localPath, sideNames, sideTable, tableNames } from "../store/database.ts"
import { forgetMark } from "../store/durable.ts"
import { acquireLock, unlock } from "../store/lock.ts"
import { forgetRestore } from "../store/restore.ts"
import { connectExisting } from "./open.ts"
import { forgetViews } from "./versions/views.ts"

/** Names of the tables in a folder, sorted; none where there is no folder. `internal`: side tables and Sluice's own too. */
export const listTables = async (uri: string, options: { readonly internal?: boolean } = {}): Promise<string[]> => {
  const db = await connectExisting(uri)
  if (!db) return []
  try {
    return await tableNames(db, options.internal)
  } finally {
    db.close()
  }
}

/**
 * Deletes a table with all its versions and its side tables.
 *
 * @throws {TableError} when it is being written, or (with `ifExists` false) when there is none.
 */
export const dropTable = async (uri: string, name: string, ifExists = true): Promise<void> => {
  checkTableName(name)
  const parts = async (): Promise<string[]> => {
    const names = await listTables(uri, { internal: true })
    // The table itself comes last: after a kill half way it is still listed, and can be dropped again.
    const sides = sideNames(names, name).map((side) => sideTable(name, side))
    return names.includes(name) ? [...sides, name] : sides
  }
  const db = (await parts()).length > 0 ? await connectExisting(uri) : undefined
  if (!db) {
    if (ifExists) return
    throw new TableError(`Table ${JSON.stringify(name)} does not exist in ${uri}`)
  }
  try {
    const lock = await acquireLock(localPath(uri), name)
    try {
      await forgetRestore(localPath(uri), name)
      await forgetViews(localPath(uri), name)
      for (const part of await parts()) {
        await forgetMark(localPath(uri), part)
        await db.dropTable(part)
      }
    } finally {
      await lock.release()
    }
  } finally {
    db.close()
  }
}

/**
 * Frees a table whoever holds it: for a person who knows that the holder is gone, or is to be stopped before its next
 * commit. Says who held it; undefined when nobody did.
 */
export const unlockTable = (uri: string, name: string): Promise<string | undefined> => {
  checkTableName(name)
  return unlock(localPath(uri), name)
}
