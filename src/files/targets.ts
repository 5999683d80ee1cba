/** The entries of `include`, looked up on disk, and the folder to which item ids are relative. */
import { readlink, stat } from "node:fs/promises"
import { dirname, resolve, sep } from "node:path"
import { withoutSecrets } from "../model/address-text.ts"
import { ConfigError, IngestError } from "../model/errors.ts"
import { type Glob, isGlob, parseGlob } from "./glob.ts"
import { CHUNK, codeOf, problemOf } from "./walk.ts"

/** One entry of `include`: a single file, or a folder, or what matches a glob in it. */
export interface Target {
  /** As the user wrote it. */
  readonly include: string
  /** The folder, the file's folder, or the one where the glob starts; absolute. */
  readonly base: string
  readonly file?: string
  readonly glob?: Glob
  /** There is no folder in which the glob could match. */
  readonly absent?: true
}

const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR"

const isAbsent = (folder: string): Promise<boolean> => stat(folder).then((stats) => !stats.isDirectory(), isMissing)

const missing = async (include: string, path: string): Promise<IngestError> => {
  const link = await readlink(path).catch(() => undefined)
  if (link !== undefined) {
    return new IngestError(`File not found: ${include} is a symbolic link to ${link}, which does not exist`)
  }
  return new IngestError(`File not found: ${include}${path === include ? "" : ` (looked for ${path})`}`)
}

const lookUp = async (include: string): Promise<Target> => {
  if (include === "") throw new ConfigError(`files.include: expected a path or a glob, found ""`)
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(include)) {
    throw new ConfigError(
      `files.include: expected a path or a glob on this machine, found the address ${JSON.stringify(withoutSecrets(include))}; download it first`,
    )
  }
  const path = resolve(include)
  try {
    const stats = await stat(path)
    return stats.isDirectory() ? { include, base: path } : { include, base: dirname(path), file: path }
  } catch (error) {
    if (isGlob(include)) {
      const glob = await parseGlob(include)
      return { include, base: glob.base, glob, ...((await isAbsent(glob.base)) && { absent: true }) }
    }
    if (isMissing(error)) throw await missing(include, path)
    throw new IngestError(problemOf(error, path), { cause: error })
  }
}

/**
 * @throws {IngestError} `File not found: ...` for a path that does not exist and is no glob.
 * @throws {ConfigError} for a glob that cannot be used.
 */
export const lookUpAll = async (includes: readonly string[]): Promise<readonly Target[]> => {
  const targets: Target[] = []
  for (let start = 0; start < includes.length; start += CHUNK) {
    targets.push(...(await Promise.all(includes.slice(start, start + CHUNK).map(lookUp))))
  }
  return targets
}

const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/**
 * The deepest folder that holds all targets, or `given`.
 *
 * @throws {ConfigError} when a target is outside of `given`.
 */
export const rootOf = (targets: readonly Target[], given: string | undefined): string => {
  if (given === undefined) {
    let root = targets[0]?.base ?? ""
    for (const { base } of targets) while (!isWithin(base, root) && dirname(root) !== root) root = dirname(root)
    return root
  }
  const root = resolve(given)
  const outside = targets.find((target) => !isWithin(target.base, root))
  if (outside) {
    throw new ConfigError(
      `files.root: expected a folder that holds all of "include", found ${root}; ${JSON.stringify(outside.include)} is not in it`,
    )
  }
  return root
}
