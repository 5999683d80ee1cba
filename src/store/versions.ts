/** The versions of a table that are still there. To ask the store for them takes milliseconds for each. */
import { existsSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { messageOf, TableError } from "../model/errors.ts"
import type { Version } from "../model/sink.ts"
import { type Table, tableFolder } from "./database.ts"

/** The store counts the names of its manifests down, so that the newest comes first. */
const LAST_NAME = 2n ** 64n - 1n

/** The version of which a file is the manifest; 0 when it is none. */
export const versionOf = (manifest: string): Version => {
  const [, digits] = /^(\d+)\.manifest$/.exec(manifest) ?? []
  if (digits === undefined) return 0
  return digits.length < 20 ? Number(digits) : Number(LAST_NAME - BigInt(digits))
}

/** Their numbers, from the oldest on. `folder` is the database's. */
export const storedVersions = async (folder: string, table: string): Promise<Version[]> => {
  const path = join(tableFolder(folder, table), "_versions")
  if (!existsSync(path)) return []
  return (await readdir(path))
    .map(versionOf)
    .filter((version) => version > 0)
    .sort((a, b) => a - b)
}

/** Tags and the versions that they name. */
export const tagsOf = async (table: Table): Promise<ReadonlyMap<string, Version>> => {
  const tags = await (await table.tags()).list()
  return new Map(Object.entries(tags).map(([name, { version }]) => [name, Number(version)]))
}

/** Which versions are kept, in words. */
export const KEPT = "those of the last 10 runs and of the last hour, and all from the oldest tagged one on"

const missing = async (table: Table, folder: string, name: string, version: Version): Promise<TableError> => {
  const there = await storedVersions(folder, name)
  const [first] = there
  const last = there.at(-1)
  const gone = first !== undefined && version > 0 && version < (last ?? 0)
  return new TableError(
    `Table ${JSON.stringify(name)} has no version ${version}: ${gone ? `it was cleaned up, or never was one; versions are kept for a while (${KEPT}). It` : "it"} has ${there.length} versions from ${first} to ${last}, and stands at ${await table.version()}. To keep a version, tag it: sluice tag ${name} NAME`,
  )
}

/**
 * Takes an open table to a version, by number or by tag. It stays there.
 *
 * @throws {TableError} for a version or a tag that is not there, saying what is.
 */
export const checkoutAt = async (table: Table, folder: string, name: string, at: number | string): Promise<void> => {
  const number = typeof at === "number" ? at : /^\d+$/.test(at) ? Number(at) : undefined
  const tags = number === undefined ? await tagsOf(table) : new Map<string, Version>()
  const version = number ?? tags.get(String(at))
  if (version === undefined) {
    const there = tags.size > 0 ? `it has ${[...tags.keys()].sort().join(", ")}` : "it has none"
    throw new TableError(`Table ${JSON.stringify(name)} has no tag ${JSON.stringify(at)}; ${there}`)
  }
  if (!(await storedVersions(folder, name)).includes(version)) throw await missing(table, folder, name, version)
  try {
    await table.checkout(version)
  } catch (error) {
    // It may have gone since.
    if (!(await storedVersions(folder, name)).includes(version)) throw await missing(table, folder, name, version)
    throw new TableError(`Version ${version} of table ${JSON.stringify(name)} cannot be opened: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
