/**
 * Walks a folder in an order that is the same every time: by name, comparing code units, going into a folder where
 * its name comes. One folder's names per depth are held, never the whole tree. Nothing is opened but folders.
 */
import type { Dirent, Stats } from "node:fs"
import { readdir, realpath, stat } from "node:fs/promises"
import { join, sep } from "node:path"
import { messageOf } from "../model/errors.ts"

/** A file that the walk met, or something that it could not look at. */
export interface Found {
  readonly path: string
  /** Why it cannot be listed. */
  readonly error?: string
  readonly folder?: true
}

/** What the walk passed by; it counts up as the walk goes on. */
export interface Skipped {
  hidden: number
  links: number
  /** Links to a folder in which they are themselves. */
  cycles: number
  /** Sockets, named pipes, devices. */
  special: number
}

/** What to do with a file or folder: list it (go into it), leave it, or leave it only because it is hidden. */
export type Verdict = "take" | "leave" | "hidden"

export interface WalkOptions {
  /** Paths are absolute, with `name` as their last part. */
  readonly file: (path: string, name: string) => Verdict
  readonly folder: (path: string, name: string) => Verdict
  /** Follow symbolic links. */
  readonly follow: boolean
  readonly skipped: Skipped
  readonly signal: AbortSignal
}

/** How many files are handed on, and asked for their size, at once. */
export const CHUNK = 256
/** What was found is handed on after this time, in ms, even when it is less than a chunk. */
const PATIENCE = 100
/**
 * Links to folders inside one another. Each level can double the number of paths, so that a few dozen nested links
 * would be a listing without end.
 */
const MAX_NESTED_LINKS = 8

type Kind = "file" | "folder" | "special"

/** What an entry is, or why that cannot be said. */
type Target = Kind | { readonly error: string }

interface Frame {
  /** The folder's path, with a separator at its end. */
  readonly prefix: string
  /** The same with all links resolved, when links are followed. */
  readonly real: string
  /** How many followed links the path goes through. */
  readonly links: number
  readonly entries: readonly Dirent[]
  /** Where the links among the entries lead, by name; empty when links are not followed. */
  readonly targets: ReadonlyMap<string, Target>
  next: number
}

const kindOf = (entry: Dirent | Stats): Kind => (entry.isFile() ? "file" : entry.isDirectory() ? "folder" : "special")

/** The code of a system error, such as `ENOENT`. */
export const codeOf = (error: unknown): unknown => (error instanceof Error && "code" in error ? error.code : undefined)

/** Why something could not be looked at, and what to do, in words. */
export const problemOf = (error: unknown, path: string): string => {
  switch (codeOf(error)) {
    case "EACCES":
    case "EPERM":
      return `Permission denied: ${path}. Let this user read it and enter the folders above it, or exclude it`
    case "ENOENT":
      return path.includes("\uFFFD")
        ? `Name is not valid UTF-8: ${path}. Rename it`
        : `Vanished while its folder was listed: ${path}. Run again if that was not meant to be`
    default:
      return `Cannot list ${path}: ${messageOf(error)}`
  }
}

const targetOf = async (path: string): Promise<Target> => {
  try {
    return kindOf(await stat(path))
  } catch (error) {
    switch (codeOf(error)) {
      case "ENOENT":
      case "ENOTDIR":
        return { error: `Symbolic link leads nowhere: ${path}. Repair or remove it` }
      case "ELOOP":
        return { error: `Symbolic link leads back to itself: ${path}. Remove it` }
      default:
        return { error: problemOf(error, path) }
    }
  }
}

const targetsOf = async (folder: string, entries: readonly Dirent[]): Promise<ReadonlyMap<string, Target>> => {
  const links = entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name)
  const targets = new Map<string, Target>()
  for (let start = 0; start < links.length; start += CHUNK) {
    const some = links.slice(start, start + CHUNK)
    const found = await Promise.all(some.map(async (name) => [name, await targetOf(join(folder, name))] as const))
    for (const [name, target] of found) targets.set(name, target)
  }
  return targets
}

const slashed = (folder: string): string => (folder.endsWith(sep) ? folder : folder + sep)

const openFolder = async (path: string, links: number, follow: boolean): Promise<Frame> => {
  const entries = await readdir(path, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const prefix = slashed(path)
  return {
    prefix,
    real: follow ? slashed(await realpath(path)) : prefix,
    links,
    entries,
    targets: follow ? await targetsOf(path, entries) : new Map(),
    next: 0,
  }
}

/**
 * The files below `root` (absolute), in chunks of about {@link CHUNK}. A folder that cannot be read and a followed
 * link that leads nowhere come as entries with `error`, in their place, and the walk goes on.
 *
 * @throws the signal's reason, once it is aborted.
 */
export async function* walk(root: string, options: WalkOptions): AsyncGenerator<readonly Found[], void, undefined> {
  const { follow, skipped, signal } = options
  const stack: Frame[] = []
  let chunk: Found[] = []
  let since = performance.now()

  const enter = async (path: string, within: Frame | undefined, isLink: boolean): Promise<void> => {
    signal.throwIfAborted()
    const links = (within?.links ?? 0) + (isLink ? 1 : 0)
    if (links > MAX_NESTED_LINKS) {
      const error = `More than ${MAX_NESTED_LINKS} symbolic links to folders inside one another: ${path}. Remove some`
      chunk.push({ path, folder: true, error })
      return
    }
    try {
      const frame = await openFolder(path, links, follow)
      if (isLink && within?.real.startsWith(frame.real)) skipped.cycles++
      else stack.push(frame)
    } catch (error) {
      chunk.push({ path, folder: true, error: problemOf(error, path) })
    }
  }

  await enter(root, undefined, false)
  for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
    const entry = frame.entries[frame.next++]
    if (!entry) {
      stack.pop()
      continue
    }
    const { name } = entry
    const path = frame.prefix + name
    const isLink = entry.isSymbolicLink()
    const target = frame.targets.get(name) ?? kindOf(entry)
    let verdict = target === "folder" ? options.folder(path, name) : options.file(path, name)
    // Nobody looked where this link leads, so it may be either.
    if (verdict === "leave" && isLink && !follow) verdict = options.folder(path, name)
    if (verdict === "leave") continue
    if (verdict === "hidden") skipped.hidden++
    else if (isLink && !follow) skipped.links++
    else if (target === "folder") await enter(path, frame, isLink)
    else if (target === "special") skipped.special++
    else if (target === "file") chunk.push({ path })
    else chunk.push({ path, error: target.error })
    if (chunk.length >= CHUNK || (chunk.length > 0 && target === "folder" && performance.now() - since > PATIENCE)) {
      yield chunk
      signal.throwIfAborted()
      chunk = []
      since = performance.now()
    }
  }
  if (chunk.length > 0) yield chunk
}
