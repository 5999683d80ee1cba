/**
 * What survives a loss of power. The store writes files and leaves it to the system when they reach the disk; so after a
 * loss of power its newest versions may name files that are empty, or are not there.
 *
 * A durable table has a mark beside it: the version up to which everything has been forced to the disk, and the boot of
 * the machine that did it. Who finds a mark of another boot goes back to the version that it names; a run does again
 * what is missing then. Within one boot the mark says nothing: a process that was killed has lost none of its writes.
 */
import { existsSync } from "node:fs"
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { uptime } from "node:os"
import { dirname, join } from "node:path"
import type { Version } from "../model/sink.ts"
import { tableFolder } from "./database.ts"
import { stateFolder } from "./lock.ts"
import { versionOf } from "./versions.ts"

interface Mark {
  readonly version: Version
  readonly boot: string
}

const markPath = (folder: string, table: string): string => join(stateFolder(folder), `${table}.synced`)

/** Where the system has no name for a boot: about when it began. Taking one boot for two does no harm. */
const bootTime = (): string => String(Math.round((Date.now() / 1000 - uptime()) / 60))

const thisBoot = async (): Promise<string> => {
  const path = "/proc/sys/kernel/random/boot_id"
  return existsSync(path) ? (await readFile(path, "utf8")).trim() : bootTime()
}

const readMark = async (folder: string, table: string): Promise<Mark | undefined> => {
  const path = markPath(folder, table)
  return existsSync(path) ? (JSON.parse(await readFile(path, "utf8")) as Mark) : undefined
}

/** Forces a file, or a folder's list of names, to the disk. */
export const force = async (path: string): Promise<void> => {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const writeMark = async (folder: string, table: string, mark: Mark): Promise<void> => {
  const path = markPath(folder, table)
  const draft = `${path}.tmp`
  await mkdir(stateFolder(folder), { recursive: true })
  await writeFile(draft, JSON.stringify(mark), { flush: true })
  await rename(draft, path)
  await force(stateFolder(folder))
}

/**
 * Goes back to the version that is on the disk for sure, where the machine has been started anew since it was written.
 * To be called under the table's lock, before the table is opened. Manifests of later versions are kept aside.
 *
 * @returns what was done, for a person to know; undefined when there was nothing to do.
 */
export const recover = async (folder: string, table: string): Promise<string | undefined> => {
  const mark = await readMark(folder, table)
  const boot = await thisBoot()
  if (!mark || mark.boot === boot) return undefined
  const versions = join(tableFolder(folder, table), "_versions")
  const names = existsSync(versions) ? await readdir(versions) : []
  const unsure = names.filter((name) => versionOf(name) > mark.version)
  for (const name of unsure) await rename(join(versions, name), join(stateFolder(folder), `${table}.${name}.unsure`))
  // It names the newest version, as a shortcut for readers.
  await rm(join(versions, "latest_version_hint.json"), { force: true })
  await writeMark(folder, table, { version: mark.version, boot })
  if (unsure.length === 0) return undefined
  return `The machine was started anew before the last ${unsure.length} versions of table ${JSON.stringify(table)} were on the disk for sure: it stands at version ${mark.version} again`
}

/** Whether who writes the table has to force it to the disk, so that it stays durable. */
export const isDurable = async (folder: string, table: string): Promise<boolean> =>
  (await readMark(folder, table)) !== undefined

/** The table is written without being forced to the disk from here on: nothing can be said of later versions. */
export const forgetMark = (folder: string, table: string): Promise<void> => rm(markPath(folder, table), { force: true })

/** So many files are forced at the same time. */
const AT_ONCE = 16

/** Forces everything of a table to the disk that is not yet there, and marks it. */
export type Synchronize = (version: Version) => Promise<void>

const filesOf = async (root: string): Promise<string[]> =>
  (await readdir(root, { recursive: true, withFileTypes: true })).flatMap((entry) =>
    entry.isFile() ? join(entry.parentPath, entry.name) : [],
  )

/**
 * Makes a table durable as it is, whatever wrote it, and from here on.
 *
 * @param version of the table; 0 when it is not there yet.
 */
export const openDurable = async (folder: string, table: string, version: Version): Promise<Synchronize> => {
  const root = tableFolder(folder, table)
  const boot = await thisBoot()
  let marked = (await readMark(folder, table))?.version
  // Files never change once they are written, and have names of their own; but for the shortcut, which is no loss.
  const forced = new Set(marked === version && existsSync(root) ? await filesOf(root) : [])

  const synchronize: Synchronize = async (next) => {
    if (next === marked) return
    const files = existsSync(root) ? (await filesOf(root)).filter((path) => !forced.has(path)) : []
    for (let i = 0; i < files.length; i += AT_ONCE) await Promise.all(files.slice(i, i + AT_ONCE).map(force))
    // Without its name in its folder a file is lost, too; folders are few.
    for (const path of new Set([...files.map(dirname), ...(next > 0 ? [root] : []), folder])) await force(path)
    for (const path of files) forced.add(path)
    await writeMark(folder, table, { version: next, boot })
    marked = next
  }

  await synchronize(version)
  await force(dirname(folder))
  return synchronize
}
