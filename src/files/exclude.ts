/** What `exclude` leaves out of a listing. */
import { resolve } from "node:path"
import { compileGlob, isGlob, parseGlob, posix } from "./glob.ts"

export interface Exclusion {
  /** Whether a file or folder is left out, with all that is in it; `path` is absolute, `name` its last part. */
  readonly excludes: (path: string, name: string) => boolean
  /** Patterns that name a place and have not matched anything so far. */
  readonly unused: () => readonly string[]
}

/** A pattern from the working directory, or an absolute one: that very path and what is below it, or a glob. */
const placed = async (pattern: string): Promise<(path: string) => boolean> => {
  const literal = posix(resolve(pattern))
  const isLiteral = (path: string): boolean => path === literal || path.startsWith(`${literal}/`)
  if (!isGlob(pattern)) return isLiteral
  const { base, matches } = await parseGlob(pattern)
  const start = base.endsWith("/") ? base : `${posix(base)}/`
  return (path) => isLiteral(path) || (path.startsWith(start) && matches(path.slice(start.length), true))
}

/**
 * - A pattern without a slash (`*.tmp`, `node_modules`): files and folders of that name, at any depth.
 * - One that starts with two stars and a slash: paths that end like that, anywhere.
 * - Any other path or glob: from the working directory, as in `include`.
 *
 * @throws {ConfigError} for a pattern that cannot be used.
 */
export const exclusion = async (patterns: readonly string[]): Promise<Exclusion> => {
  const tests: ((path: string, name: string) => boolean)[] = []
  const unused = new Set<string>()
  for (const pattern of patterns) {
    const text = posix(pattern).replace(/(?<=.)\/+$/, "")
    if (!text.includes("/")) {
      const matches = compileGlob(text, true, pattern)
      tests.push((_, name) => name === text || matches(name))
    } else if (text.startsWith("**/")) {
      const matches = compileGlob(text, true, pattern)
      tests.push((path) => matches(path.replace(/^\//, "")))
    } else {
      const matches = await placed(text)
      unused.add(pattern)
      tests.push((path) => {
        if (!matches(path)) return false
        unused.delete(pattern)
        return true
      })
    }
  }
  return {
    excludes: (path, name) => tests.some((test) => test(path, name)),
    unused: () => [...unused],
  }
}
