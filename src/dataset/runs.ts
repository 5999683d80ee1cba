/** The runs of a database. */
import type { RunRecord } from "../model/run.ts"
import { runsOf } from "../store/runs.ts"
import { connectExisting } from "./open.ts"

/**
 * The runs into a database of Lance tables, or into one table of it, newest first; none where there is no database. A run
 * without an end (`ended` is null) goes on, or was killed.
 *
 * @param uri folder of the database.
 * @throws {ConfigError} when `uri` is no local folder.
 * @example
 * ```ts
 * const [latest] = await listRuns("./data", "docs")
 * if (latest) console.log(`${latest.ending ?? "not ended"}: ${latest.rows} rows, ${latest.failed} items failed`)
 * ```
 */
export const listRuns = async (uri: string, table?: string): Promise<RunRecord[]> => {
  const db = await connectExisting(uri)
  if (!db) return []
  try {
    return await runsOf(db, table)
  } finally {
    db.close()
  }
}
