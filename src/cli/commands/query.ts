/** `sluice query "SQL"` */
import type { QueryRow } from "../../dataset/sql/query.ts"
import { runStatement } from "../../dataset/sql/run.ts"
import { imageFormat } from "../../media/imageheader.ts"
import type { Format } from "../arguments.ts"
import { printPages, type Row } from "../output.ts"

interface QueryOptions {
  readonly uri: string
  readonly format: Format
  readonly param?: readonly string[]
  readonly timeout: number
}

/** Of bytes, what they are; vectors and what is in rows as JSON has it. */
const shown = (value: unknown, format: Format): unknown => {
  if (value instanceof Uint8Array) return `${imageFormat(value) ?? "binary"}, ${value.length} bytes`
  const plain = value instanceof Float32Array ? Array.from(value) : value
  return typeof plain === "object" && plain !== null && format !== "json" ? JSON.stringify(plain) : plain
}

async function* readable(pages: AsyncIterable<readonly QueryRow[]>, format: Format): AsyncGenerator<readonly Row[]> {
  for await (const rows of pages) {
    yield rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shown(value, format)])),
    )
  }
}

export const queryCommand = async (sql: string, options: QueryOptions): Promise<void> => {
  const { uri, format, param = [], timeout } = options
  const { columns, pages } = await runStatement(uri, sql, param, { timeoutMs: timeout * 1000 })
  await printPages(format, columns, readable(pages, format))
}
