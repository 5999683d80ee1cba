/** Changing a table that is there, outside of a run: under its lock, and after what was cut off before is mended. */
import { existsSync } from "node:fs"
import { TableError } from "../model/errors.ts"
import type { Schema } from "../model/types.ts"
import { fromSchema } from "./arrow.ts"
import { type Connection, connect, localPath, openTable, type Table } from "./database.ts"
import { isDurable, openDurable, recover } from "./durable.ts"
import { acquireLock } from "./lock.ts"
import { finishRestore } from "./restore.ts"
import { sweep } from "./sweep.ts"

export interface Changing {
  readonly db: Connection
  /** The database's. */
  readonly folder: string
  readonly table: Table
  /** Hidden columns included. */
  readonly schema: Schema
  /** To be called right before each write: throws when the lock was taken away. */
  readonly check: () => Promise<void>
}

/** @throws {TableError} when there is no such table, or when it is being written. */
export const changeTable = async <T>(
  uri: string,
  name: string,
  change: (changing: Changing) => Promise<T>,
): Promise<T> => {
  const folder = localPath(uri)
  if (!existsSync(folder)) {
    throw new TableError(`Table ${JSON.stringify(name)} does not exist: there is no folder ${uri}`)
  }
  const db = await connect(uri)
  let table: Table | undefined
  try {
    // A table that is not there is to leave no lock behind.
    ;(await openTable(db, uri, name)).close()
    const lock = await acquireLock(folder, name)
    try {
      await recover(folder, name)
      await finishRestore(db, folder, name)
      await sweep(folder, name)
      table = await openTable(db, uri, name)
      // What survived a loss of power before still has to.
      const synchronize = (await isDurable(folder, name))
        ? await openDurable(folder, name, await table.version())
        : undefined
      const result = await change({ db, folder, table, schema: fromSchema(await table.schema()), check: lock.check })
      await synchronize?.(await table.version())
      return result
    } finally {
      table?.close()
      await lock.release()
    }
  } finally {
    db.close()
  }
}
