/**
 * The files of a Tabular as items. A Parquet file is cut into ranges of rows, and a JSONL file into ranges of bytes, so
 * that a large file never starts over; a CSV file is one item, which goes on in its middle.
 */
import { resolve } from "node:path"
import { listFiles } from "../../files/list.ts"
import { messageOf } from "../../model/errors.ts"
import type { Item } from "../../model/item.ts"
import type { SourceContext } from "../../model/source.ts"
import { footerOf } from "../../readers/describe.ts"
import { formatOfName, isCompressed, TABLE_NAMES, type TableFile, type TableFormat } from "../../readers/file.ts"
import { lineRanges } from "../../readers/jsonl.ts"

/** How the files of a Tabular are found and read. */
export interface Tables {
  readonly paths: readonly string[]
  /** Of all files, whatever their names say. */
  readonly format?: TableFormat
  readonly delimiter?: string
  readonly header?: boolean
}

/** The file at `path`; undefined when its name does not say what it is, and nobody else does. */
export const tableFile = ({ format, delimiter, header }: Tables, path: string): TableFile | undefined => {
  const found = format ?? formatOfName(path)
  return (
    found && {
      path,
      format: found,
      ...(delimiter !== undefined && { delimiter }),
      ...(header !== undefined && { header }),
    }
  )
}

/** An item is what is done again after a kill. */
const ITEM = { rows: 100_000, bytes: 64 << 20 }

/** The table files, in a stable order; an item with `error` has no `file`. Files of other kinds in folders are left out. */
export async function* listTables(
  tables: Tables,
  context: SourceContext,
): AsyncGenerator<{ readonly item: Item; readonly file?: TableFile }, void, undefined> {
  const named = new Set(tables.paths.map((path) => resolve(path)))
  let others = 0
  for await (const item of listFiles({ include: tables.paths })(context)) {
    const file = tableFile(tables, item.uri)
    if (item.error !== undefined) yield { item }
    else if (file) yield { item, file }
    else if (named.has(item.uri)) {
      const error = `Expected a table by its name (${TABLE_NAMES}), found ${item.uri}. Say what it is: format: csv`
      yield { item: { ...item, error } }
    } else others++
  }
  if (others > 0) context.warn(`${others} ${others === 1 ? "file is" : "files are"} no table by name (${TABLE_NAMES})`)
}

const part = (item: Item, start: number, end: number, share: number): Item => ({
  ...item,
  id: `${item.id}/${start}`,
  bytes: Math.ceil(item.bytes * share),
  payload: { start, end },
})

async function* parquetItems(item: Item, file: TableFile): AsyncGenerator<Item, void, undefined> {
  const { rows, bytes } = await footerOf(file)
  const step = Math.max(1, Math.min(ITEM.rows, Math.floor((ITEM.bytes * rows) / Math.max(1, bytes))))
  // A file without rows is an item too, so that it is recorded as empty.
  for (let start = 0; start < Math.max(1, rows); start += step) {
    const end = Math.min(rows, start + step)
    yield part(item, start, end, (end - start) / Math.max(1, rows))
  }
}

async function* itemsOf(item: Item, file: TableFile): AsyncGenerator<Item, void, undefined> {
  if (file.format === "parquet") yield* parquetItems(item, file)
  else if (file.format !== "jsonl" || isCompressed(file.path) || item.bytes === 0) yield { ...item, resumable: true }
  else {
    for await (const { start, end } of lineRanges(file.path, ITEM.rows)) {
      yield part(item, start, end, (end - start) / item.bytes)
    }
  }
}

export async function* tableItems(tables: Tables, context: SourceContext): AsyncGenerator<Item, void, undefined> {
  for await (const { item, file } of listTables(tables, context)) {
    context.signal.throwIfAborted()
    try {
      if (file) yield* itemsOf(item, file)
      else yield item
    } catch (error) {
      yield { ...item, error: messageOf(error) }
    }
  }
}
