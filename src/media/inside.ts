/** Paths that come out of data: they never lead out of the folder that they belong to. */
import { realpath } from "node:fs/promises"
import { isAbsolute, join, sep, win32 } from "node:path"
import { IngestError } from "../model/errors.ts"

const real = async (path: string): Promise<string> => {
  try {
    return await realpath(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error
    throw new IngestError(`File not found: ${path}`, { cause: error })
  }
}

/**
 * The real path (symbolic links followed) of `path` below the folder `root`; there is something at it.
 *
 * @param what names the path in messages, such as `file_name of image 17`.
 * @throws {IngestError} when the path is empty, absolute, goes up with `..`, leads out of `root` through a symbolic
 * link, or when nothing is there.
 * @example
 * ```ts
 * const picture = await inside("coco/val2017", "000000000139.jpg", "file_name of image 139")
 * ```
 */
export const inside = async (root: string, path: string, what: string): Promise<string> => {
  const refuse = (why: string): IngestError =>
    new IngestError(`${what}: expected a path inside of ${root}, found ${JSON.stringify(path)}, which ${why}`)
  if (path === "" || path.includes("\0")) throw refuse("names no file")
  if (isAbsolute(path) || win32.isAbsolute(path)) throw refuse("is absolute")
  if (path.split(/[/\\]/).includes("..")) throw refuse('goes up with ".."')
  const [base, found] = await Promise.all([real(root), real(join(root, path))])
  if (!found.startsWith(base.endsWith(sep) ? base : base + sep)) throw refuse(`leads to ${found}`)
  return found
}
