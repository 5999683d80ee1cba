/** `sluice query "SQL"` */
import { bytesInfo } from "../../dataset/peek.ts"
import type { QueryRow } from "../../dataset/sql/query.ts"
import { runStatement } from "../../dataset/sql/run.ts"
import { formatCount } from "../../observe/progress-text.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { bytesText, printPages, type Row } from "../output.ts"

interface QueryOptions {
  readonly uri: string
  readonly format: Format
  readonly param?: readonly string[]
  readonly timeout: number
  readonly at?: string
}

/** Of bytes, what they are; vectors and what is in rows as JSON has it. */
const shown = async (value: unknown, format: Format): Promise<unknown> => {
  if (value instanceof Uint8Array) return bytesText(await bytesInfo(value, value.length))
  const plain = value instanceof Float32Array ? Array.from(value) : value
  return typeof plain === "object" && plain !== null && format !== "json" ? JSON.stringify(plain) : plain
}

async function* readable(pages: AsyncIterable<readonly QueryRow[]>, format: Format): AsyncGenerator<readonly Row[]> {
  for await (const rows of pages) {
    const all: Row[] = []
    for (const row of rows) {
      const cells: Record<string, unknown> = {}
      for (const [name, value] of Object.entries(row)) {
        cells[name] = typeof value === "object" && value !== null ? await shown(value, format) : value
      }
      all.push(cells)
    }
    yield all
  }
}

export const queryCommand = async (sql: string, options: QueryOptions): Promise<void> => {
  const { uri, format, param = [], timeout, at } = options
  const settings = { timeoutMs: timeout * 1000, ...(at !== undefined && { at }) }
  const { columns, pages, changed } = await runStatement(uri, sql, param, settings)
  // A statement without a result has nothing to show in a table.
  if (format === "json" || columns.length > 0) await printPages(format, columns, readable(pages, format))
  else await pages.return(undefined)
  if (changed) say(`${formatCount(changed.rows)} ${changed.rows === 1 ? "row" : "rows"} ${changed.how}`)
}
