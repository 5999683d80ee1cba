/**
 * Another table with what one has. The store never changes a file of a table, it makes others and removes; so both can
 * have the same files, as hard links: the new one takes no room at first, and nothing that becomes of one touches the
 * other.
 */
import { constants, copyFile, link, mkdir, readdir, rename, rm } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"
import type { Version } from "../model/sink.ts"
import { tableFolder } from "./database.ts"
import { force } from "./durable.ts"
import { versionOf } from "./versions.ts"

/** File systems without hard links, and links across them. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "EMLINK", "ENOSYS"]

const share = async (from: string, to: string): Promise<void> => {
  try {
    await link(from, to)
  } catch (error) {
    if (!NO_LINKS.includes(String((error as NodeJS.ErrnoException).code))) throw error
    await copyFile(from, to, constants.COPYFILE_FICLONE)
  }
}

/** What of a table goes along: not what is newer than the version, nor names of versions, nor what is half written. */
const belongs = (path: string, version: Version): boolean => {
  const [first = "", name = ""] = path.split(sep)
  if (first === "_refs" || path.split(sep).some((part) => part.startsWith(".tmp"))) return false
  if (first !== "_versions") return true
  const own = versionOf(name)
  return own > 0 && own <= version
}

const draftOf = (folder: string, table: string): string => join(folder, `.tmp-branch-${table}`)

/** Makes the draft of a table, with the versions of another one up to the given one. To be called under the lock of both. */
export const draftBranch = async (folder: string, from: string, to: string, version: Version): Promise<void> => {
  const source = tableFolder(folder, from)
  const draft = draftOf(folder, to)
  // That of a process which was killed.
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft)
  const made = new Set([draft])
  for (const entry of await readdir(source, { recursive: true, withFileTypes: true })) {
    const path = relative(source, join(entry.parentPath, entry.name))
    if (!entry.isFile() || !belongs(path, version)) continue
    const target = join(draft, path)
    if (!made.has(dirname(target))) made.add((await mkdir(dirname(target), { recursive: true })) ?? dirname(target))
    await share(join(source, path), target)
  }
}

/** Puts drafts in their places, in this order; each of them is there whole, or not at all. */
export const placeBranch = async (folder: string, tables: readonly string[]): Promise<void> => {
  for (const table of tables) {
    const place = tableFolder(folder, table)
    // Of a writer that was killed before its first commit.
    await rm(place, { recursive: true, force: true })
    await rename(draftOf(folder, table), place)
  }
  await force(folder)
}
