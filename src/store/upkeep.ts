/**
 * Keeps a table fast and its disk use bounded: small files are put together, and old versions go, but for those of the
 * last runs and tagged ones.
 *
 * Compaction rewrites all rows that are not yet in a full file of the store (a million rows). So it pays where rows are
 * small; where they are large it has to be rare, and the rarer the more there is to rewrite.
 */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { Schema } from "../model/types.ts"
import type { Connection, Table } from "./database.ts"
import { runsOf } from "./runs.ts"

/**
 * Small files pile up by one a commit, and scans get slow: over so many about a fifth of a second. With commits of 2,000
 * rows they make a full file of the store, so that each row is rewritten once; earlier compaction rewrites it again.
 */
export const LEAN_FILES = 512
/** The same for tables with large rows, for each so many bytes of them. */
const LARGE_FILES = 2048
const LARGE_BYTES = 4 * 2 ** 30
/** Rows are large from here on. */
const LEAN_ROW_BYTES = 50_000

/** Versions that are kept: those of so many runs, and all of the last hour, which somebody may be reading. */
const KEEP_RUNS = 10
const KEEP_MS = 3_600_000

/** Bytes of a table's rows, with those that the store keeps beside its files and does not count. */
const dataBytes = async (root: string): Promise<number> => {
  let bytes = 0
  for (const entry of await readdir(join(root, "data"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size
  }
  return bytes
}

/** Whether so many small files are to be put together. */
export const isDue = async (root: string, table: Table, schema: Schema, smallFiles: number): Promise<boolean> => {
  const { numRows, totalBytes } = await table.stats()
  const lean = [...schema.values()].every((type) => !type.blob) && totalBytes / numRows < LEAN_ROW_BYTES
  if (lean) return true
  return smallFiles >= LARGE_FILES && smallFiles >= LARGE_FILES * ((await dataBytes(root)) / LARGE_BYTES)
}

/** Versions from before this moment may go. */
const keptSince = async (db: Connection, name: string, table: Table, now: number): Promise<Date> => {
  const started = (await runsOf(db, name))[KEEP_RUNS - 1]?.started
  // Fewer runs than are kept: all versions stay.
  let kept = started === undefined ? 0 : Math.min(Date.parse(started), now - KEEP_MS)
  const tags = Object.values(await (await table.tags()).list())
  if (tags.length > 0) {
    // The store refuses to clean up across a tagged version.
    const oldest = Math.min(...tags.map(({ version }) => Number(version)))
    const tagged = (await table.listVersions()).find(({ version }) => version === oldest)
    kept = Math.min(kept, (tagged?.timestamp.getTime() ?? 1) - 1)
  }
  return new Date(kept)
}

/**
 * Puts small files together and removes old versions. The files that were put together go with the last version that
 * names them, so at a later call: until then they take their room on the disk.
 *
 * @param owner the table whose runs count; another one for a side table.
 */
export const tidy = async (db: Connection, owner: string, table: Table, now = Date.now()): Promise<void> => {
  await table.optimize({ cleanupOlderThan: await keptSince(db, owner, table, now) })
}

/** Puts small files together; all versions stay. */
export const compact = async (table: Table): Promise<void> => {
  await table.optimize({ cleanupOlderThan: new Date(0) })
}
