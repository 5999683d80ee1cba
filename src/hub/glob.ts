/**
 * Globs as `datasets` has them (fsspec from 2023.12 on, which is Python's `glob.translate` with hidden files): `*` does
 * not cross `/`, `**` does and is a whole segment, there are `?` and `[...]`, and no braces.
 */

/** Whether text is a pattern, rather than a path. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text)

const segment = (text: string): string => {
  let out = ""
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? ""
    if (char === "*") {
      // Within a segment, as many as there may be are one.
      if (text[at - 1] !== "*") out += "[^/]*"
    } else if (char === "?") out += "[^/]"
    else if (char === "[") {
      // A bracket that stands first is one of the set.
      const end = text.indexOf("]", at + (/[!^]/.test(text[at + 1] ?? "") ? 3 : 2))
      if (end < 0) out += "\\["
      else {
        const set = text.slice(at + 1, end).replaceAll(/[\\[\]&~|]/g, "\\$&")
        out += `[${set.startsWith("!") ? `^/${set.slice(1)}` : set.replace(/^\^/, "\\^")}]`
        at = end
      }
    } else out += char.replace(/[.+^${}()|\\/\]]/, "\\$&")
  }
  return out
}

/** The regular expression that matches whole paths. */
export const globToRegExp = (pattern: string): RegExp => {
  const parts = pattern.split("/")
  const last = parts.length - 1
  const text = parts.map((part, index) => {
    if (part === "**") return index === last ? ".*" : parts[index + 1] === "**" ? "" : "(?:.+/)?"
    if (part === "*") return index === last ? "[^/]+" : "[^/]+/"
    return index === last ? segment(part) : `${segment(part)}/`
  })
  return new RegExp(`^${text.join("")}$`, "s")
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
  const expression = globToRegExp(pattern)
  const patternParts = pattern.split("/")
  const hidden = count(patternParts, isHidden)
  const special = count(patternParts.slice(0, -1), isSpecial)
  return paths
    .filter((path) => {
      if (!expression.test(path)) return false
      const parts = path.split("/")
      const name = parts.at(-1) ?? ""
      if (IGNORED.has(name) && name !== patternParts.at(-1)) return false
      return count(parts, isHidden) === hidden && count(parts.slice(0, -1), isSpecial) === special
    })
    .sort()
}
