/**
 * Paths with placeholders, as `info.json` has them: `data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet`
 * (Python's format strings, of which only `{name}` and `{name:03d}` are taken).
 */
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { IngestError } from "../../model/errors.ts"

const PLACEHOLDER = /\{([^{}:]*)(?::([^{}]*))?\}/g
const ZEROS = /^0?(\d+)d?$/

/**
 * The template itself.
 *
 * @throws {IngestError} when it is no text, or has a placeholder that is not among the `known` ones.
 */
export const checkTemplate = (what: string, template: unknown, known: readonly string[]): string => {
  if (typeof template !== "string" || template === "") {
    throw new IngestError(`${what}: expected a path with placeholders, found ${JSON.stringify(template)}`)
  }
  for (const [all, name = "", format] of template.matchAll(PLACEHOLDER)) {
    if (!known.includes(name) || (format !== undefined && !ZEROS.test(format))) {
      throw new IngestError(
        `${what}: expected the placeholders ${known.map((one) => `{${one}}`).join(", ")}, with or without a width as in {${known[0]}:03d}; found ${all} in ${JSON.stringify(template)}`,
      )
    }
  }
  return template
}

export type Values = Readonly<Record<string, string | number>>

/** The path that the template gives for the values. */
export const fill = (template: string, values: Values): string =>
  template.replace(PLACEHOLDER, (_, name: string, format?: string) =>
    String(values[name] ?? "").padStart(Number(ZEROS.exec(format ?? "")?.[1] ?? 0), "0"),
  )

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&")

/** What one part of a path must look like, and the placeholders of its numbers. */
const patternOf = (part: string): { readonly pattern: RegExp; readonly names: readonly string[] } => {
  const names: string[] = []
  let source = ""
  let at = 0
  for (const { 0: all, 1: name = "", index } of part.matchAll(PLACEHOLDER)) {
    source += `${escaped(part.slice(at, index))}(\\d+)`
    names.push(name)
    at = index + all.length
  }
  return { pattern: new RegExp(`^${source}${escaped(part.slice(at))}$`), names }
}

export interface Match {
  /** Relative to the root, with `/`. */
  readonly path: string
  readonly values: Readonly<Record<string, number>>
}

const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return (await readdir(folder)).sort()
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === "ENOENT" || code === "ENOTDIR") return []
    throw error
  }
}

/** The files below `root` that a template of numbers describes, in the order of their names, one folder at a time. */
export async function* matching(root: string, template: string): AsyncGenerator<Match, void, undefined> {
  const parts = template.split("/")
  async function* below(folder: string, depth: number, values: Match["values"]): AsyncGenerator<Match> {
    const part = parts[depth]
    if (part === undefined) {
      yield { path: folder, values }
      return
    }
    const { pattern, names } = patternOf(part)
    for (const name of await namesIn(join(root, folder))) {
      const numbers = pattern.exec(name)?.slice(1)
      if (!numbers) continue
      const found = Object.fromEntries(names.map((key, index) => [key, Number(numbers[index])]))
      yield* below(folder === "" ? name : `${folder}/${name}`, depth + 1, { ...values, ...found })
    }
  }
  yield* below("", 0, {})
}
