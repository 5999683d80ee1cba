/** Going back to an older version. */
import { randomUUID } from "node:crypto"
import { changeTable } from "../../store/change.ts"
import { checkTableName } from "../../store/database.ts"
import { sidesAt } from "../../store/history.ts"
import { finishRestore, planRestore } from "../../store/restore.ts"
import { checkoutAt } from "../../store/versions.ts"
import type { At } from "../open.ts"

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
  return changeTable(uri, name, async ({ db, folder, table }) => {
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
  })
}
