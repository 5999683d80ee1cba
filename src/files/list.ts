/**
 * Lists files: paths, folders and globs, in a stable order with size and modification time. It opens no file, and
 * holds no more than one folder's names per depth.
 */
import { basename, sep } from "node:path"
import { ConfigError } from "../model/errors.ts"
import { HashSet, hash64 } from "../model/hash-set.ts"
import type { Item } from "../model/item.ts"
import type { SourceContext } from "../model/source.ts"
import { type Exclusion, exclusion } from "./exclude.ts"
import { itemsOf } from "./file-items.ts"
import { posix } from "./glob.ts"
import { lookUpAll, rootOf, type Target } from "./targets.ts"
import { CHUNK, type Found, type Skipped, type Verdict, walk } from "./walk.ts"

export interface FilesOptions {
  /**
   * Files, folders (with everything in them) and globs, from the working directory or absolute. What exists by the
   * very name is taken literally, so that `a[1].txt` is a file where there is one.
   */
  readonly include: string | readonly string[]
  /**
   * What is left out. Without a slash (`*.tmp`, `node_modules`): that name at any depth. With two stars and a slash
   * at the start: anywhere. Otherwise a path or glob as in `include`.
   */
  readonly exclude?: readonly string[]
  /** Takes names with a leading dot, too. One that `include` names is always taken. Default: false. */
  readonly hidden?: boolean
  /** What happens to symbolic links inside folders. One that `include` names is always followed. Default: "skip". */
  readonly symlinks?: "skip" | "follow"
  /** The folder to which item ids are relative. Default: the deepest folder that holds all of `include`. */
  readonly root?: string
}

/** Which files and folders below a target are listed. */
const selection = ({ glob, base }: Target, hidden: boolean, { excludes }: Exclusion) => {
  const start = base.endsWith(sep) ? base.length : base.length + 1
  const isPassed = (name: string): boolean => !hidden && name.startsWith(".")
  const ofGlob = (path: string): Verdict => {
    const below = posix(path.slice(start))
    if (glob?.matches(below, hidden)) return "take"
    return !hidden && glob?.matches(below, true) ? "hidden" : "leave"
  }
  return {
    file: (path: string, name: string): Verdict => {
      const verdict = glob ? ofGlob(path) : isPassed(name) ? "hidden" : "take"
      return verdict !== "leave" && excludes(posix(path), name) ? "leave" : verdict
    },
    folder: (path: string, name: string): Verdict => {
      if ((glob && !glob.canHold(posix(path.slice(start)))) || excludes(posix(path), name)) return "leave"
      return isPassed(name) && !glob?.namesHidden ? "hidden" : "take"
    },
  }
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

/** What the listing passed by, for people; undefined when that is nothing. */
const skippedText = ({ hidden, links, cycles, special }: Skipped): string | undefined => {
  const parts = [
    hidden > 0 && `${plural(hidden, "hidden file or folder", "hidden files or folders")} (hidden: true takes them)`,
    links > 0 && `${plural(links, "symbolic link", "symbolic links")} (symlinks: follow takes them)`,
    cycles > 0 && `${plural(cycles, "symbolic link", "symbolic links")} to a folder above`,
    special > 0 && `${plural(special, "socket, pipe or device", "sockets, pipes or devices")}`,
  ].filter((part) => part !== false)
  return parts.length === 0 ? undefined : `Skipped while listing files: ${parts.join("; ")}`
}

/**
 * Files as items: `id` is the path relative to the root, with `/`; `uri` the absolute path; `version` that of
 * `fileVersion`. They come include by include, in a folder by name (comparing code units, never by locale), a
 * folder's files where its name sorts. A file that two entries of `include` match comes once.
 *
 * What exists but cannot be listed is an item with `error`: a folder that may not be read (its id ends with `/`), a
 * followed link that leads nowhere, a file that vanishes meanwhile. Sockets, pipes and devices are never opened.
 *
 * Listing throws an `IngestError` (`File not found: ...`) for a path that does not exist, before the first item; a
 * `ConfigError` when `root` does not hold all of `include`; and the signal's reason once that is aborted, so that a
 * cut listing is never taken for a complete one.
 *
 * @throws {ConfigError} when `include` is empty.
 * @example
 * ```ts
 * for await (const item of listFiles({ include: ["docs", "scans/*.pdf"] })(context)) console.log(item.id)
 * ```
 */
export const listFiles = (
  options: FilesOptions,
): ((context: SourceContext) => AsyncGenerator<Item, void, undefined>) => {
  const includes = typeof options.include === "string" ? [options.include] : options.include
  if (includes.length === 0) throw new ConfigError("files.include: expected at least one path or glob, found none")
  const { hidden = false, symlinks = "skip" } = options
  const follow = symlinks === "follow"

  /** What all targets hold, target by target, in chunks; each with whether a link at its end is followed. */
  async function* found(targets: readonly Target[], excluded: Exclusion, skipped: Skipped, context: SourceContext) {
    let named: Found[] = []
    for (const target of targets) {
      if (target.file !== undefined) {
        if (!excluded.excludes(posix(target.file), basename(target.file))) named.push({ path: target.file })
        if (named.length === CHUNK) {
          yield { chunk: named, followed: true }
          named = []
        }
        continue
      }
      if (named.length > 0) yield { chunk: named, followed: true }
      named = []
      let matches = 0
      const walking = { ...selection(target, hidden, excluded), follow, skipped, signal: context.signal }
      for await (const chunk of target.absent ? [] : walk(target.base, walking)) {
        matches += chunk.length
        yield { chunk, followed: follow }
      }
      if (target.glob && matches === 0) {
        context.warn(`No file matches ${JSON.stringify(target.include)} (looked in ${target.base})`)
      }
    }
    if (named.length > 0) yield { chunk: named, followed: true }
  }

  return async function* items(context) {
    const targets = await lookUpAll(includes)
    const root = rootOf(targets, options.root)
    const excluded = await exclusion(options.exclude ?? [])
    const skipped: Skipped = { hidden: 0, links: 0, cycles: 0, special: 0 }
    const seen = targets.length > 1 ? new HashSet() : undefined
    for await (const { chunk, followed } of found(targets, excluded, skipped, context)) {
      context.signal.throwIfAborted()
      for (const item of await itemsOf(chunk, root, followed)) {
        if (!seen || seen.add(hash64(item.id))) yield item
      }
    }
    for (const pattern of excluded.unused()) context.warn(`Nothing was excluded by ${JSON.stringify(pattern)}`)
    const text = skippedText(skipped)
    if (text !== undefined) context.warn(text)
  }
}
