/** The runs of a database. */
import type { RunRecord } from "../model/run.ts"
import { runsOf } from "../store/runs.ts"
import { connectExisting } from "./open.ts"

/**
 * The runs into a database, or into one table of it, newest first. A run without an end goes on, or was killed.
 *
 * @example
 * ```ts
 * const [latest] = await listRuns("./data", "docs")
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
