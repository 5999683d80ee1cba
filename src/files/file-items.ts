/** Turns found files into items: asks for their size and modification time. */
import { lstatSync, type Stats, statSync } from "node:fs"
import { lstat, stat } from "node:fs/promises"
import { sep } from "node:path"
import { setImmediate } from "node:timers/promises"
import { fileVersion } from "../media/file-version.ts"
import type { Item } from "../model/item.ts"
import { posix } from "./glob.ts"
import { type Found, problemOf } from "./walk.ts"

/** The version of items that could not be listed: as long as they cannot, they are the same failure. */
const UNLISTED = "unlisted"

/**
 * How long, in ms, the thread may be held up by a chunk. On a local disk all of it is done by then, several times
 * faster than through the thread pool, which decoders keep busy besides. On a slow one, the rest is asked for at once.
 */
const HOLD = 5

const idOf = (path: string, root: string): string =>
  posix(path.slice(root.endsWith(sep) ? root.length : root.length + 1))

const failed = ({ path, folder }: Found, root: string, error: string): Item => {
  const id = idOf(path, root)
  return {
    id: folder ? `${id || "."}/` : id,
    uri: path,
    version: UNLISTED,
    bytes: 0,
    error,
    ...(folder && { hidesOthers: true }),
  }
}

const itemOf = (found: Found, root: string, stats: Stats): Item => {
  const { path } = found
  return stats.isFile()
    ? { id: idOf(path, root), uri: path, version: fileVersion(stats), bytes: stats.size }
    : failed(
        found,
        root,
        `Not a regular file: ${path}. Sockets, pipes and devices are never read; name a file or folder`,
      )
}

/**
 * The items of a chunk, in its order. What cannot be looked at is an item with `error`; the id of a folder, which is
 * there only for its error, ends with `/`.
 *
 * @param follow whether a symbolic link stands for what it leads to.
 */
export const itemsOf = async (chunk: readonly Found[], root: string, follow: boolean): Promise<readonly Item[]> => {
  const until = performance.now() + HOLD
  const pending = chunk.map((found): Item | Promise<Item> => {
    const { path, error } = found
    const problem = (cause: unknown): Item => failed(found, root, problemOf(cause, path))
    if (error !== undefined) return failed(found, root, error)
    if (performance.now() > until) {
      return (follow ? stat : lstat)(path).then((stats) => itemOf(found, root, stats), problem)
    }
    try {
      return itemOf(found, root, (follow ? statSync : lstatSync)(path))
    } catch (cause) {
      return problem(cause)
    }
  })
  // Timers and signals get their turn, even when nothing had to be waited for.
  await setImmediate()
  return Promise.all(pending)
}
