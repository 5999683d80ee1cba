/** Another table that begins as one was at a version. */
import { randomUUID } from "node:crypto"
import { TableError } from "../../model/errors.ts"
import { draftBranch, placeBranch } from "../../store/branch.ts"
import { changeTable } from "../../store/change.ts"
import { checkTableName, openExisting, sideNames, sideTable, tableNames } from "../../store/database.ts"
import { sidesAt } from "../../store/history.ts"
import { acquireLock } from "../../store/lock.ts"
import { edgeOf } from "../../store/reader.ts"
import { changeRecord, recordRun } from "../../store/runs.ts"
import { checkoutAt } from "../../store/versions.ts"
import type { At } from "../open.ts"

export interface BranchResult {
  /** The version of the table that the branch begins at, and has itself. */
  readonly version: number
  readonly rows: number
}

/**
 * Makes a table that begins as another one is, or was at a version: with its rows, indexes, side tables and the versions
 * up to there. From then on they have nothing to do with one another. A run into the branch goes on from its rows, as it
 * would in the table, so that other options, or another source, can be tried on it. Files are shared, as hard links: the
 * branch takes room only for what comes to it.
 *
 * @throws {TableError} when there is no such table or version, when there is a table of the new name, or when the table is
 * being written.
 * @example
 * ```ts
 * await branchTable("./data", "docs", "docs_try", { at: "before-cleaning" })
 * await client.ingest("docs_try", { path: ["more/"] }, { schema: { path: "FILE" } })
 * ```
 */
export const branchTable = async (
  uri: string,
  name: string,
  branch: string,
  { at }: { readonly at?: At } = {},
): Promise<BranchResult> => {
  checkTableName(name)
  checkTableName(branch)
  return changeTable(uri, name, async ({ db, folder, table }) => {
    const lock = await acquireLock(folder, branch)
    try {
      // Side tables alone are what a branch that was killed has left.
      if ((await tableNames(db)).includes(branch)) {
        throw new TableError(`Table already exists: ${JSON.stringify(branch)} in ${uri}; take another name`)
      }
      const started = new Date().toISOString()
      if (at !== undefined) await checkoutAt(table, folder, name, at)
      const version = await table.version()
      await table.checkoutLatest()
      const parts: string[] = []
      for (const [side, then] of await sidesAt(db, table, version)) {
        if (then === 0) continue
        await draftBranch(folder, sideTable(name, side), sideTable(branch, side), then)
        parts.push(sideTable(branch, side))
      }
      await draftBranch(folder, name, branch, version)
      for (const side of sideNames(await tableNames(db, true), branch)) await db.dropTable(sideTable(branch, side))
      // The table itself last: with it, the branch is there.
      await placeBranch(folder, [...parts, branch])
      const made = await openExisting(db, branch)
      try {
        const pipeline = `${name}, version ${version}`
        const record = { run: randomUUID(), table: branch, mode: "branch", pipeline, started }
        const commit = await edgeOf(made, "last")
        // All of its versions until now have come with it.
        await recordRun(db, folder, changeRecord({ ...record, commit, from: 0, version }))
        return { version, rows: await made.countRows() }
      } finally {
        made.close()
      }
    } finally {
      await lock.release()
    }
  })
}
