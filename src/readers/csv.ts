/**
 * CSV and TSV. DuckDB reads the records, as text; what the columns are called and what their texts mean is decided here,
 * by rules that can be told in a sentence. DuckDB's own guess leaves out lines that do not fit it, and rounds "1.5" in
 * a column that began with whole numbers.
 */
import { IngestError } from "../model/errors.ts"
import type { ColumnType } from "../model/types.ts"
import { literal, literalPath } from "./duckdb.ts"
import { type TableFile, unpacked } from "./file.ts"

const DELIMITERS = [",", ";", "\t", "|"]
/** The header has to end within so many bytes, and no record may have more. */
const MOST_BYTES = 16 << 20
/** Rows from which the types of the columns are told. */
const SAMPLE = 20_480

export interface CsvHead {
  readonly delimiter: string
  /** In the order of the file; they are all different. */
  readonly names: readonly string[]
}

/**
 * The first record's fields and where it ends; no end when the text ends in the middle of it. A quote means something
 * only at the start of a field (RFC 4180).
 */
const firstRecord = (
  text: string,
  delimiter: string,
): { readonly fields: readonly string[]; readonly ended: boolean } => {
  const fields: string[] = []
  let field = ""
  let at = 0
  for (;;) {
    if (text[at] === '"') {
      for (;;) {
        const quote = text.indexOf('"', at + 1)
        if (quote < 0) return { fields, ended: false }
        field += text.slice(at + 1, quote)
        at = quote + 1
        if (text[at] !== '"') break
        field += '"'
      }
    }
    const start = at
    while (at < text.length && text[at] !== "\n" && text[at] !== "\r" && !text.startsWith(delimiter, at)) at++
    fields.push(field + text.slice(start, at))
    field = ""
    if (at >= text.length) return { fields, ended: false }
    if (!text.startsWith(delimiter, at)) return { fields, ended: true }
    at += delimiter.length
  }
}

/** The beginning of the file: up to a whole first record. */
const beginningOf = async ({ path }: TableFile, isEnough: (text: string) => boolean): Promise<string> => {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let text = ""
  let looked = 0
  try {
    for await (const bytes of unpacked(path)) {
      text += decoder.decode(bytes, { stream: true })
      // Each look is at all of it: so not at every piece of a long one.
      if (text.length < 2 * looked) continue
      if (isEnough(text)) return text
      if (text.length > MOST_BYTES) throw new IngestError(`The first line is longer than 16 MiB`)
      looked = text.length
    }
    isEnough(text)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new IngestError("Expected UTF-8, found bytes that are not; convert the file first", { cause: error })
  }
  return text
}

const delimiterOf = (line: string): string => {
  const unquoted = line.replaceAll(/"[^"]*"/g, "")
  const counts = DELIMITERS.map((delimiter) => unquoted.split(delimiter).length)
  return DELIMITERS[counts.indexOf(Math.max(...counts))] ?? ","
}

/** Of texts, that is, where a few bytes make a column: DuckDB takes a minute for twice as many. */
export const MOST_COLUMNS = 10_000

const checkNames = (names: readonly string[]): void => {
  if (names.length > MOST_COLUMNS) {
    throw new IngestError(`Expected at most ${MOST_COLUMNS} columns, found ${names.length} in the first line`)
  }
  const taken = new Map<string, number>()
  for (const [index, name] of names.entries()) {
    const first = taken.get(name)
    taken.set(name, index)
    if (first === undefined) continue
    throw new IngestError(
      `Columns ${first + 1} and ${index + 1} are both named ${JSON.stringify(name)}; rename one of them in the first line`,
    )
  }
}

/** @throws {IngestError} when the file is not UTF-8, or two of its columns have one name. */
export const csvHead = async (file: TableFile): Promise<CsvHead> => {
  const { header = true } = file
  const given = file.delimiter ?? (file.format === "tsv" ? "\t" : undefined)
  let delimiter = ","
  let fields: readonly string[] = []
  await beginningOf(file, (text) => {
    delimiter = given ?? delimiterOf(text.split(/[\r\n]/, 1)[0] ?? "")
    const record = firstRecord(text, delimiter)
    fields = record.fields
    return record.ended
  })
  const names = fields.map((field, index) => (header && field.trim() !== "" ? field : `column_${index}`))
  checkNames(names)
  return { delimiter, names }
}

/** Columns are called c0, c1, ... in the query: DuckDB does not tell `a` from `A`. */
export const csvScan = (file: TableFile, { delimiter, names }: CsvHead): string => {
  const columns = names.map((_, index) => `'c${index}': 'VARCHAR'`)
  const options = [
    "auto_detect=false",
    `header=${file.header ?? true}`,
    `delim=${literal(delimiter)}`,
    `quote='"'`,
    `escape='"'`,
    // An empty field is null; "" is a text of no length.
    "nullstr=''",
    "allow_quoted_nulls=false",
    "hive_partitioning=false",
    `max_line_size=${MOST_BYTES}`,
    `columns={${columns.join(", ")}}`,
  ]
  return `read_csv(${literalPath(file.path)}, ${options.join(", ")})`
}

const INTEGER = "-?(0|[1-9][0-9]*)"
const NUMBER = `${INTEGER}|[+-]?(0|[1-9][0-9]*)?([.][0-9]*)?([eE][+-]?[0-9]+)?|[+-]?(inf|Inf|Infinity|infinity)|nan|NaN`

/**
 * The query that tells the types of columns of text by their first rows.
 *
 * - `true` and `false`, in any case: BOOL.
 * - Whole numbers: INT64. With zeros before them (`007`) or beyond 2^63 - 1 they stay TEXT: they are names, not amounts.
 * - Other numbers: FLOAT64.
 */
export const sampleQuery = (from: string, columns: readonly string[]): string => {
  const tests = columns.flatMap((c, index) => [
    `count(${c}) AS some${index}`,
    `bool_and(lower(${c}) IN ('true', 'false')) AS bool${index}`,
    `bool_and(regexp_full_match(${c}, '${INTEGER}')) AS whole${index}`,
    `count(try_cast(${c} AS BIGINT)) = count(${c}) AS fits${index}`,
    `bool_and(regexp_full_match(${c}, '${NUMBER}')) AND count(try_cast(${c} AS DOUBLE)) = count(${c}) AS number${index}`,
  ])
  return `SELECT ${tests.join(", ")} FROM (SELECT ${columns.join(", ")} FROM ${from} LIMIT ${SAMPLE})`
}

/** The type of column `index` by the answer to {@link sampleQuery}; undefined when it has no values there. */
export const sampledType = (answer: Readonly<Record<string, unknown>>, index: number): ColumnType | undefined => {
  const is = (test: string): boolean => answer[`${test}${index}`] === true
  if (Number(answer[`some${index}`]) === 0) return undefined
  if (is("bool")) return { name: "BOOL" }
  if (is("whole")) return { name: is("fits") ? "INT64" : "TEXT" }
  return { name: is("number") ? "FLOAT64" : "TEXT" }
}

const QUOTE = 0x22
const LF = 0x0a
const CR = 0x0d

/** The line, counted from 1, in which a row (from 0) of the file begins. Empty lines are no rows. */
export const lineOfRow = async (file: TableFile, { delimiter, names }: CsvHead, row: number): Promise<number> => {
  const wanted = row + (file.header === false ? 0 : 1)
  const separator = delimiter.charCodeAt(0)
  let line = 1
  let record = 0
  let quoted = false
  let fieldStart = true
  let empty = true
  let begun = 1
  let previous = 0
  for await (const bytes of unpacked(file.path)) {
    for (const byte of bytes) {
      const isBreak = byte === LF || byte === CR
      if (isBreak && byte === LF && previous === CR) {
        // The second half of a line break that was counted.
      } else if (isBreak) {
        line++
        if (!quoted) {
          if (!empty || names.length === 1) {
            if (record === wanted) return begun
            record++
          }
          empty = true
          fieldStart = true
          begun = line
        }
      } else if (byte === QUOTE && (quoted || fieldStart)) {
        quoted = !quoted
        empty = false
        fieldStart = false
      } else {
        empty = false
        fieldStart = !quoted && byte === separator
      }
      // A doubled quote inside of a quoted field ends it and begins it again.
      if (byte === QUOTE && !quoted) fieldStart = true
      previous = byte
    }
  }
  return begun
}
