/** `sluice search T WORDS...` */
import { readFile } from "node:fs/promises"
import { search, type Vector } from "../../dataset/search.ts"
import { ConfigError, messageOf } from "../../model/errors.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { MAX_CELL, printRows } from "../output.ts"

interface SearchOptions {
  readonly uri: string
  readonly format: Format
  readonly limit?: number
  readonly column?: string
  readonly vectorFrom?: string
  readonly vectorColumn?: string
  readonly where?: string
  readonly all?: boolean
  readonly at?: string
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "number")

/** A JSON list of numbers, or a list of such lists. */
const readVector = async (path: string): Promise<Vector | readonly Vector[]> => {
  let found: unknown
  try {
    found = JSON.parse(await readFile(path, "utf8"))
  } catch (error) {
    throw new ConfigError(`--vector-from ${path}: ${messageOf(error)}`, { cause: error })
  }
  if (isNumbers(found) || (Array.isArray(found) && found.length > 0 && found.every(isNumbers))) return found
  throw new ConfigError(`--vector-from ${path}: expected a JSON list of numbers, or a list of such lists`)
}

/** Characters before the first word that was found, of a text that is too long to be shown from its beginning. */
const BEFORE = 16

/** The text from a little before the first of the words on, so that it can be seen why the row was found. */
const excerpt = (text: string, words: readonly string[]): string => {
  const runs = words.flatMap((word) => word.match(/[\p{Alphabetic}\p{N}]+/gu) ?? [])
  if (runs.length === 0) return text
  const at = text.search(
    new RegExp(`(?<![\\p{Alphabetic}\\p{N}])(?:${runs.join("|")})(?![\\p{Alphabetic}\\p{N}])`, "iu"),
  )
  if (at <= 2 * BEFORE || text.length <= MAX_CELL) return text
  // From a word's beginning on.
  const before = text.slice(at - BEFORE, at).replace(/^\S*\s+/, "")
  return `…${before}${text.slice(at)}`
}

export const searchCommand = async (table: string, words: readonly string[], options: SearchOptions): Promise<void> => {
  const { uri, format, limit, column, vectorFrom, vectorColumn, where, all, at } = options
  const text = words.join(" ")
  const vector = vectorFrom === undefined ? undefined : await readVector(vectorFrom)
  if (vector === undefined && text === "")
    throw new ConfigError("Expected words, --vector-from FILE or both; found none")
  const common = {
    ...(limit !== undefined && { limit }),
    ...(where !== undefined && { filter: where }),
    ...(at !== undefined && { at }),
  }
  const textPart = { query: text, ...(column !== undefined && { column }) }
  const vectorPart = vector && { query: vector, ...(vectorColumn !== undefined && { column: vectorColumn }) }
  const isBoth = vectorPart && text !== ""
  if (isBoth && !isNumbers(vectorPart.query)) throw new ConfigError("--vector-from: several vectors go without words")
  const rows = await search(uri, table, {
    ...common,
    ...(vectorPart ?? textPart),
    ...(isBoth && { hybrid: textPart }),
    ...(all && { match: "all" }),
  })
  const [first] = rows
  if (!first && format === "table") {
    say(vector ? `no row of ${table} has a vector` : `no row of ${table} has ${all ? "all" : "any"} of these words`)
    return
  }
  const isText = (name: string, value: unknown): value is string => name !== "_item" && typeof value === "string"
  const shown = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, isText(name, value) ? excerpt(value, words) : value]),
    ),
  )
  printRows(format, Object.keys(first ?? {}), format === "table" ? shown : rows)
}
