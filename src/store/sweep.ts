/** Clears away what writers that were killed left half written. */
import { existsSync } from "node:fs"
import { readdir, rm, unlink } from "node:fs/promises"
import { basename, join } from "node:path"
import { hasVersion, tableFolder } from "./database.ts"

/**
 * Removes what is half written of a table: temporary files, or a table that never came to its first
 * version. Safe under the lock: nobody else writes here.
 */
export const sweep = async (folder: string, table: string): Promise<void> => {
  const root = tableFolder(folder, table)
  if (!existsSync(root)) return
  if (!hasVersion(root)) {
    await rm(root, { recursive: true })
    return
  }
  for (const entry of await readdir(root, { recursive: true })) {
    if (basename(entry).startsWith(".tmp")) await unlink(join(root, entry))
  }
}
