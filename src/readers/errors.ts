/** What DuckDB says about a file, in the words that a user needs. */
import { IngestError, messageOf } from "../model/errors.ts"
import { checkCompressed } from "./end.ts"
import { type ByteRange, isCompressed } from "./file.ts"
import { linesBefore, malformedLine } from "./jsonl.ts"

const KIND = /^(Invalid Input|Conversion|IO|Binder|Serialization|Out of Memory|Catalog|Parser|Invalid) Error: /i
/** From here on, its messages show the query and options that users of Sluice cannot set. */
const REST = /\nLINE \d+:|\s*\nPossible |\s*\nTry setting|\s*\nTry increasing| Try setting| Try auto-detecting/

const csvMessage = (text: string): string | undefined => {
  const line = /^CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (line === undefined) return undefined
  const [, wanted, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text) ?? []
  const problem = wanted
    ? `expected ${wanted} values, as the first line has, found ${found}`
    : (/Value with unterminated quote|Invalid unicode|Maximum line size[^\n.]*/.exec(text)?.[0] ?? text)
  return `line ${line}: ${problem}`
}

const jsonMessage = async (text: string, path: string, range: ByteRange | undefined): Promise<string | undefined> => {
  if (text.startsWith("json_read expected records")) {
    return "Expected one JSON object with keys a line (JSON Lines), found other JSON values"
  }
  if (text.includes("maximum_object_size")) return "Expected lines of at most 16 MiB, found a longer one"
  const [, kind, number, problem] =
    /^(Malformed JSON|JSON transform error) in file ".*", .*?in line (\d+): (.*)/s.exec(text) ?? []
  if (kind === undefined) return undefined
  // DuckDB leaves empty lines out of its count, and counts one too many where a line is cut off.
  const line = (kind === "Malformed JSON" ? await malformedLine(path, range) : undefined) ?? Number(number)
  const before = range ? await linesBefore(path, range.start) : 0
  return kind === "Malformed JSON"
    ? `line ${before + line}: expected a JSON object, found malformed JSON (${problem?.replace(/\.$/, "")})`
    : `line ${before + line}: ${problem}`
}

/** What DuckDB says where it reads something else than Parquet: of what is inside of a footer and of pages. */
const PARQUET_DAMAGE =
  /^(TProtocolException|don't know what type|invalid TType|Out of buffer|Footer length|Page |Payload|Prefetch|Incorrect stats|Failed to read file|Could not read enough bytes|Parquet file has|Invalid (unicode|string encoding))/

/** Values that it quotes may be of any length. */
const MOST_TEXT = 300

const otherMessage = (text: string): string => {
  const line = text.replaceAll(/\s*\n\s*/g, "; ").trim()
  const short = line.length > MOST_TEXT ? `${line.slice(0, MOST_TEXT)}...` : line
  return PARQUET_DAMAGE.test(line)
    ? `The Parquet file is damaged, or is none (${short}). Download or write it again`
    : short
}

const damageOf = (error: unknown): string => {
  if (error instanceof IngestError) return error.message
  throw error
}

/**
 * What DuckDB's `error` says about a file, or about a range of it that was read.
 *
 * @throws what is no error of DuckDB's, but a mistake of ours.
 */
export const duckDbMessage = async (error: unknown, path: string, range?: ByteRange): Promise<string> => {
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) throw error
  const damage = isCompressed(path) ? await checkCompressed(path).catch(damageOf) : undefined
  if (damage !== undefined) return damage
  const text = messageOf(error).replace(KIND, "").split(REST, 1)[0]?.trim() ?? ""
  if (/failed to allocate|could not allocate/i.test(text)) {
    return `DuckDB needs more memory than its limit of 1 GiB for the pages of the file (${text}). Write it again with smaller row groups`
  }
  return csvMessage(text) ?? (await jsonMessage(text, path, range)) ?? otherMessage(text)
}
