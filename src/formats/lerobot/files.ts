/** Files of a dataset: where they are, which version they have, and whether they are what they should be. */
import { stat } from "node:fs/promises"
import { fileVersion } from "../../media/file-version.ts"
import { inside } from "../../media/inside.ts"
import { IngestError } from "../../model/errors.ts"

export interface Located {
  /** Real path. */
  readonly path: string
  readonly version: string
  readonly bytes: number
}

/**
 * The file at `path` below `root`.
 *
 * @throws {IngestError} when it is not there, is no file, or stands outside of `root`.
 */
export const locate = async (root: string, path: string, what: string): Promise<Located> => {
  const found = await inside(root, path, what)
  const stats = await stat(found)
  if (!stats.isFile()) throw new IngestError(`${what}: expected a file, found something else: ${found}`)
  return { path: found, version: fileVersion(stats), bytes: stats.size }
}

/** @throws {IngestError} when the file has changed since it was located. */
export const checkSame = async ({ path, version }: Omit<Located, "bytes">): Promise<void> => {
  const now = fileVersion(await stat(path))
  if (now !== version) {
    throw new IngestError(
      `the file changed while it was read: size:mtime was ${version} and is ${now}; run again to take it as it is now (${path})`,
    )
  }
}
