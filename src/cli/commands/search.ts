/** `sluice search T WORDS...` */
import { searchText } from "../../dataset/search.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { printRows } from "../output.ts"

interface SearchOptions {
  readonly uri: string
  readonly format: Format
  readonly limit?: number
  readonly column?: string
  readonly at?: string
}

export const searchCommand = async (table: string, words: readonly string[], options: SearchOptions): Promise<void> => {
  const { uri, format, limit, column, at } = options
  const rows = await searchText(uri, table, words.join(" "), {
    ...(limit !== undefined && { limit }),
    ...(column !== undefined && { column }),
    ...(at !== undefined && { at }),
  })
  const [first] = rows
  if (!first && format === "table") say(`no row of ${table} has any of these words`)
  else printRows(format, Object.keys(first ?? {}), rows)
}
