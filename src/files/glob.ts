/**
 * Glob patterns over folders: where the listing has to start, which folders can hold a match, and which files match.
 * Paths that are compared have `/` between their parts and may contain any other character, a newline too.
 */
import { access } from "node:fs/promises"
import { join, resolve, sep } from "node:path"
import picomatch from "picomatch"
import { ConfigError, messageOf } from "../model/errors.ts"

export interface Glob {
  /** The folder, absolute, below which everything lies that can match. */
  readonly base: string
  /** Whether a file matches; its path is relative to `base`. Names with a leading dot match a `*` only with `hidden`. */
  readonly matches: (path: string, hidden: boolean) => boolean
  /** Whether a folder, its path relative to `base`, can hold a match. */
  readonly canHold: (path: string) => boolean
  /** The pattern itself names something with a leading dot, so that hidden folders have to be looked into. */
  readonly namesHidden: boolean
}

// Without `s`, `**` would not match a path with a newline.
const FLAGS = "s"

export const posix = (path: string): string => (sep === "\\" ? path.replaceAll("\\", "/") : path)

const unescaped = (path: string): string => path.replace(/\\(.)/gs, "$1")

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Whether text that names no existing path is a glob. Parentheses alone are none: `report (1).pdf` is a file name. */
export const isGlob = (text: string): boolean => picomatch.scan(posix(text), { noparen: true }).isGlob === true

/** The pattern's parts, up to the first that can stand for more than one folder; `open` when there is such a one. */
const fixedParts = (glob: string): { readonly parts: readonly string[]; readonly open: boolean } => {
  const parts = glob.split("/")
  let depth = 0
  for (const [index, part] of parts.entries()) {
    if (part.includes("**")) return { parts: parts.slice(0, index), open: true }
    for (const char of part) {
      if ("({[".includes(char)) depth++
      else if (")}]".includes(char)) depth--
    }
    // A slash inside brackets, as in `{a/b,c}/*`.
    if (depth !== 0 && index < parts.length - 1) return { parts: parts.slice(0, index), open: true }
  }
  return { parts: parts.slice(0, -1), open: false }
}

/** A matcher of one glob; `written` is what the user wrote, for the message. */
export const compileGlob = (glob: string, dot: boolean, written: string): ((path: string) => boolean) => {
  try {
    return picomatch(glob, { dot, flags: FLAGS })
  } catch (error) {
    throw new ConfigError(`Glob ${JSON.stringify(written)} cannot be used: ${messageOf(error)}`)
  }
}

/**
 * Reads a glob, relative to the working directory or absolute. Parts of it that exist by that very name, such as a
 * folder `[set]` in `data/[set]/*.txt`, are taken literally.
 *
 * @throws {ConfigError} for a negated pattern, and one that is too long.
 */
export const parseGlob = async (pattern: string): Promise<Glob> => {
  const scanned = picomatch.scan(posix(pattern), { noparen: true })
  if (scanned.negated) {
    throw new ConfigError(
      `Glob ${JSON.stringify(pattern)} starts with "!"; name what is not wanted in "exclude" instead`,
    )
  }
  let base = resolve(unescaped(scanned.base))
  let glob = scanned.glob.replaceAll(/\/{2,}/g, "/")
  for (;;) {
    const slash = glob.indexOf("/")
    if (slash < 0 || !(await exists(join(base, glob.slice(0, slash))))) break
    base = join(base, glob.slice(0, slash))
    glob = glob.slice(slash + 1)
  }
  const visible = compileGlob(glob, false, pattern)
  const all = compileGlob(glob, true, pattern)
  const { parts, open } = fixedParts(glob)
  const matchers = parts.map((part) => compileGlob(part, true, pattern))
  return {
    base,
    matches: (path, hidden) => (hidden ? all(path) : visible(path)),
    canHold: (path) => {
      const names = path.split("/")
      if (names.length > matchers.length && !open) return false
      return matchers.every((matches, index) => index >= names.length || matches(names[index] ?? ""))
    },
    namesHidden: /(^|[/({,|])\\?\./.test(glob),
  }
}
