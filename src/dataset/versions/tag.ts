/** Names for versions. A tagged version, and all after it, are kept. */
import { ConfigError, TableError } from "../../model/errors.ts"
import { localPath } from "../../store/database.ts"
import { checkoutAt, tagsOf } from "../../store/versions.ts"
import { type At, withTable } from "../open.ts"

/** @throws {ConfigError} for a name that the store would not take, or that reads as the number of a version. */
const checkTag = (tag: string): void => {
  if (/^[A-Za-z0-9_.-]{1,100}$/.test(tag) && !/^\d+$/.test(tag)) return
  throw new ConfigError(
    `Expected a tag of letters, digits, "_", "-" and "." that is no number, found ${JSON.stringify(tag)}`,
  )
}

export interface TagOptions {
  /** The version, or another tag of it. Default: the version that the table has now. */
  readonly at?: At
  /** Whether the tag may name another version already, and is moved from there. Default false. */
  readonly move?: boolean
}

/**
 * Gives a version a name, by which it can be read, and keeps it, and those after it, from being cleaned up.
 *
 * @returns the version.
 * @throws {TableError} when there is no such table or version, or the tag names another version.
 * @throws {ConfigError} for a name that is none.
 * @example
 * ```ts
 * await tagVersion("./data", "docs", "before-cleaning")
 * const then = await openTable("./data", "docs", { at: "before-cleaning" })
 * ```
 */
export const tagVersion = (
  uri: string,
  name: string,
  tag: string,
  { at, move = false }: TagOptions = {},
): Promise<number> =>
  withTable(uri, name, async ({ table }) => {
    checkTag(tag)
    if (at !== undefined) await checkoutAt(table, localPath(uri), name, at)
    const version = await table.version()
    const named = (await tagsOf(table)).get(tag)
    if (named === version) return version
    const tags = await table.tags()
    if (named === undefined) await tags.create(tag, version)
    else if (move) await tags.update(tag, version)
    else {
      throw new TableError(
        `Tag ${JSON.stringify(tag)} of table ${JSON.stringify(name)} is version ${named}. Take another name, or move it (--move)`,
      )
    }
    return version
  })

/**
 * Takes a name from its version, which may be cleaned up then like others.
 *
 * @throws {TableError} when there is no such table or tag.
 */
export const deleteTag = (uri: string, name: string, tag: string): Promise<void> =>
  withTable(uri, name, async ({ table }) => {
    const there = [...(await tagsOf(table)).keys()].sort()
    if (!there.includes(tag)) {
      throw new TableError(
        `Table ${JSON.stringify(name)} has no tag ${JSON.stringify(tag)}; it has ${there.join(", ") || "none"}`,
      )
    }
    await (await table.tags()).delete(tag)
  })
