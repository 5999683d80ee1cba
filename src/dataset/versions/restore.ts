/** Going back to an older version. */
import { randomUUID } from "node:crypto"
import { TableError } from "../../model/errors.ts"
import { checkTableName, localPath, openTable } from "../../store/database.ts"
import { recover } from "../../store/durable.ts"
import { sidesAt } from "../../store/history.ts"
import { acquireLock } from "../../store/lock.ts"
import { finishRestore, planRestore } from "../../store/restore.ts"
import { checkoutAt } from "../../store/versions.ts"
import { type At, connectExisting } from "../open.ts"

export interface RestoreOptions {
  /** Told what is being done, in a few words. */
  readonly onStep?: (step: string) => void
}

export interface RestoreResult {
  /** The version that the table had before; it can still be restored. */
  readonly from: number
  /** The version whose rows it has again. */
  readonly restored: number
  /** The new version. */
  readonly version: number
  readonly rows: number
}

/**
 * Makes a table what it was at an older version, as a new version: its rows, its columns, and the side tables, which say
 * which items failed and hold the thumbnails. The versions in between stay. The next run goes on from there: items that
 * came since count as new again, and with `sync` those that have changed since are done again.
 *
 * A restore that is killed is completed by the next one who opens the table to write.
 *
 * @throws {TableError} when there is no such table or version, when what belongs to it was cleaned up, or when the table
 * is being written.
 * @example
 * ```ts
 * const { version, rows } = await restoreVersion("./data", "docs", "before-cleaning")
 * console.log(`${rows} rows again, as version ${version}`)
 * ```
 */
export const restoreVersion = async (
  uri: string,
  name: string,
  at: At,
  { onStep = () => {} }: RestoreOptions = {},
): Promise<RestoreResult> => {
  checkTableName(name)
  const folder = localPath(uri)
  const db = await connectExisting(uri)
  if (!db) throw new TableError(`Table ${JSON.stringify(name)} does not exist: there is no folder ${uri}`)
  try {
    // Before its lock is made, which would stay.
    const seen = await openTable(db, uri, name)
    seen.close()
    const lock = await acquireLock(folder, name)
    try {
      await recover(folder, name)
      await finishRestore(db, folder, name)
      const table = await openTable(db, uri, name)
      try {
        const from = await table.version()
        await checkoutAt(table, folder, name, at)
        const restored = await table.version()
        const rows = await table.countRows()
        await table.checkoutLatest()
        const sides = Object.fromEntries(await sidesAt(db, table, restored))
        const started = new Date().toISOString()
        onStep("writing down what is to be done")
        await planRestore(folder, name, { run: randomUUID(), started, from, version: restored, sides })
        await finishRestore(db, folder, name, onStep)
        await table.checkoutLatest()
        return { from, restored, version: await table.version(), rows }
      } finally {
        table.close()
      }
    } finally {
      await lock.release()
    }
  } finally {
    db.close()
  }
}
