/** `sluice dead-letters T` */
import { deadLetters } from "../../dataset/dead-letters.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { printRows } from "../output.ts"

const COLUMNS = ["item", "status", "stage", "attempts", "error", "version", "run"]

export const deadLettersCommand = async (
  table: string,
  options: { readonly uri: string; readonly format: Format; readonly all?: boolean; readonly limit?: number },
): Promise<void> => {
  const records = await deadLetters(options.uri, table, {
    all: options.all ?? false,
    ...(options.limit !== undefined && { limit: options.limit }),
  })
  if (records.length === 0 && options.format === "table") say(`no dead letters of ${table}`)
  else
    printRows(
      options.format,
      COLUMNS,
      records.map((record) => ({ ...record })),
    )
}
