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
import { type Connection, openExisting, type Table, tableFolder, tableNames } from "./database.ts"
import { runsOf } from "./runs.ts"
import { tagsOf, versionOf } from "./versions.ts"

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

/** Versions of a table from before this moment may go. */
const keptSince = async (db: Connection, name: string, table: Table, now: number): Promise<number> => {
  const started = (await runsOf(db, name))[KEEP_RUNS - 1]?.started
  // Fewer runs than are kept: all versions stay.
  let kept = started === undefined ? 0 : Math.min(Date.parse(started), now - KEEP_MS)
  const tags = [...(await tagsOf(table)).values()]
  if (tags.length > 0) {
    // The store refuses to clean up across a tagged version.
    const oldest = Math.min(...tags)
    const tagged = (await table.listVersions()).find(({ version }) => version === oldest)
    kept = Math.min(kept, (tagged?.timestamp.getTime() ?? 1) - 1)
  }
  return kept
}

/** By so much a version's file may be younger than the version. */
const WRITE_MS = 60_000

/**
 * The same for a side table: what it was like at any version of its table that is kept, it can still be told. So the
 * newest of its versions from before that stays, too. Where files were copied without their times, more of them do.
 */
const sideKeptSince = async (root: string, kept: number): Promise<number> => {
  const versions = join(root, "_versions")
  let newest = 0
  for (const name of await readdir(versions)) {
    const { mtimeMs } = await stat(join(versions, name))
    if (versionOf(name) > 0 && mtimeMs <= kept) newest = Math.max(newest, mtimeMs)
  }
  return Math.max(0, newest - WRITE_MS)
}

/**
 * Puts small files together and removes old versions. The files that were put together go with the last version that
 * names them, so at a later call: until then they take their room on the disk.
 *
 * @param folder the database's.
 * @param owner the table whose runs and tags count; another one for a side table.
 */
export const tidy = async (
  db: Connection,
  folder: string,
  owner: string,
  table: Table,
  now = Date.now(),
): Promise<void> => {
  if (table.name === owner) {
    await table.optimize({ cleanupOlderThan: new Date(await keptSince(db, owner, table, now)) })
    return
  }
  // A side table can be there before its table is.
  const there = (await tableNames(db)).includes(owner)
  const main = there ? await openExisting(db, owner) : table
  try {
    const kept = await keptSince(db, owner, main, now)
    const cleanupOlderThan = new Date(await sideKeptSince(tableFolder(folder, table.name), kept))
    await table.optimize({ cleanupOlderThan })
  } finally {
    if (there) main.close()
  }
}

/** Puts small files together; all versions stay. */
export const compact = async (table: Table): Promise<void> => {
  await table.optimize({ cleanupOlderThan: new Date(0) })
}
