/**
 * Globs as `datasets` has them (fsspec from 2023.12 on, which is Python's `glob.translate` with hidden files): `*` does
 * not cross `/`, `**` does and is a whole segment, there are `?` and `[...]`, and no braces.
 */

/** Whether text is a pattern, rather than a path. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text)

/** What stands between the stars of a segment: so many characters, each of them one or one of a set. */
interface Piece {
  readonly at: RegExp
  readonly anywhere: RegExp
  readonly length: number
}

/** What stands in brackets, as a set of characters; a range that runs backwards, such as `b-a`, holds none. */
const setOf = (text: string): string => {
  const negated = text.startsWith("!")
  const escaped = text.slice(negated ? 1 : 0).replaceAll(/[\\[\]&~|]/g, "\\$&")
  const set = negated ? `[^${escaped}]` : `[${escaped.replace(/^\^/, "\\^")}]`
  try {
    new RegExp(set)
    return set
  } catch {
    return negated ? "." : "[]"
  }
}

const piecesOf = (text: string): readonly Piece[] => {
  const pieces: Piece[] = []
  let source = ""
  let length = 0
  const end = (): void => {
    pieces.push({ at: new RegExp(source, "sy"), anywhere: new RegExp(source, "sg"), length })
    source = ""
    length = 0
  }
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ""
    if (char === "*") {
      // As many as there may be are one.
      if (text[at - 1] !== "*") end()
      continue
    }
    length++
    if (char === "?") source += "."
    else if (char === "[") {
      // A bracket that stands first is one of the set.
      const close = text.indexOf("]", at + (/[!^]/.test(text[at + 1] ?? "") ? 3 : 2))
      if (close < 0) source += "\\["
      else {
        source += setOf(text.slice(at + 1, close))
        at = close
      }
    } else source += char.replace(/[.+^${}()|\\/\]]/, "\\$&")
  }
  end()
  return pieces
}

const isAt = ({ at }: Piece, name: string, position: number): boolean => {
  at.lastIndex = position
  return at.test(name)
}

/**
 * Whether the name of a file or folder has the pieces in their order: the first at its start, the last at its end, each
 * other one at the first place where it is found. There is nothing to come back to, so that patterns, which datasets
 * bring along, cannot take more time than the name and they are long.
 */
const hasPieces = (name: string, pieces: readonly Piece[]): boolean => {
  const [first, ...others] = pieces
  const last = others.pop()
  if (!first || !isAt(first, name, 0)) return false
  if (!last) return name.length === first.length
  let from = first.length
  for (const { anywhere, length } of others) {
    anywhere.lastIndex = from
    const found = anywhere.exec(name)
    if (!found) return false
    from = found.index + length
  }
  const end = name.length - last.length
  return end >= from && isAt(last, name, end)
}

type Segment = "**" | readonly Piece[]

/** Whether the folders and the name match, by the same thought: of several `**`, only the last may have to grow. */
const hasSegments = (parts: readonly string[], segments: readonly Segment[]): boolean => {
  let part = 0
  let segment = 0
  let again: { readonly segment: number; part: number } | undefined
  while (part < parts.length) {
    const expected = segments[segment]
    if (expected === "**") {
      again = { segment: ++segment, part }
    } else if (expected && hasPieces(parts[part] ?? "", expected)) {
      part++
      segment++
    } else if (again) {
      part = ++again.part
      segment = again.segment
    } else return false
  }
  return segment === segments.length
}

/** A test of whole paths, whose parts are never empty. */
const compile = (pattern: string): ((path: string) => boolean) => {
  const segments = pattern.split("/").map((text): Segment => (text === "**" ? text : piecesOf(text)))
  // At the end it stands for one part at least: a file is no folder.
  if (segments.at(-1) === "**") segments.push(piecesOf("*"))
  return (path) => hasSegments(path.split("/"), segments)
}

/** Never data, unless a pattern names them. */
const IGNORED = new Set([
  "README.md",
  "config.json",
  "dataset_info.json",
  "dataset_infos.json",
  "dummy_data.zip",
  "dataset_dict.json",
])

const count = (parts: readonly string[], test: (part: string) => boolean): number => parts.filter(test).length
const isHidden = (part: string): boolean => part.startsWith(".") && !/^\.+$/.test(part)
const isSpecial = (part: string): boolean => part.startsWith("__")

/** `a/./b//c` as `a/b/c`, with `..` resolved; undefined when it leaves the root. */
export const normalizePath = (path: string): string | undefined => {
  const parts: string[] = []
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue
    if (part !== "..") parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join("/")
}

/**
 * The paths, sorted, that a pattern stands for. What is hidden (`.x`), special (`__x__`) or about the dataset
 * (README.md, ...) has to be named by the pattern itself.
 */
export const matchGlob = (paths: readonly string[], pattern: string): string[] => {
  const matches = compile(pattern)
  const patternParts = pattern.split("/")
  const hidden = count(patternParts, isHidden)
  const special = count(patternParts.slice(0, -1), isSpecial)
  return paths
    .filter((path) => {
      if (!matches(path)) return false
      const parts = path.split("/")
      const name = parts.at(-1) ?? ""
      if (IGNORED.has(name) && name !== patternParts.at(-1)) return false
      return count(parts, isHidden) === hidden && count(parts.slice(0, -1), isSpecial) === special
    })
    .sort()
}
