/** What DuckDB says about a file, in the words that a user needs. */
import { messageOf } from "../model/errors.ts"

const KIND = /^(Invalid Input|Conversion|IO|Binder|Serialization|Out of Memory|Catalog|Parser|Invalid) Error: /i
/** From here on, its messages show the query and options that users of Sluice cannot set. */
const REST = /\nLINE \d+:|\s*\nPossible |\s*\nTry setting|\s*\nTry increasing| Try setting| Try auto-detecting/

/**
 * @param lines lines of the file before the part that was read.
 * @throws what is no error of DuckDB's, but a mistake of ours.
 */
export const duckDbMessage = (error: unknown, lines = 0): string => {
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) throw error
  const text = messageOf(error).replace(KIND, "").split(REST, 1)[0]?.trim() ?? ""
  const line = (number: string): string => String(Number(number) + lines)

  const csv = /^CSV Error on Line: (\d+)/.exec(text)?.[1]
  if (csv) {
    const [, wanted, found] = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text) ?? []
    const problem = wanted
      ? `expected ${wanted} values, as the first line has, found ${found}`
      : (/Value with unterminated quote|Invalid unicode|Maximum line size[^\n.]*/.exec(text)?.[0] ?? text)
    return `line ${line(csv)}: ${problem}`
  }
  const json = /^Malformed JSON in file ".*", at byte \d+ in line (\d+): (.*)/s.exec(text)
  if (json)
    return `line ${line(json[1] ?? "")}: expected a JSON object, found malformed JSON (${json[2]?.replace(/\.$/, "")})`
  const value = /^JSON transform error in file ".*", in line (\d+): (.*)/s.exec(text)
  if (value) return `line ${line(value[1] ?? "")}: ${value[2]}`
  if (text.startsWith("json_read expected records")) {
    return "Expected one JSON object with keys a line (JSON Lines), found other JSON values"
  }
  return text.replaceAll(/\s*\n\s*/g, "; ")
}
