/** What a table is, without reading its rows. */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { ItemStatus } from "../model/item.ts"
import { isHidden } from "../model/rows.ts"
import { formatType } from "../model/types.ts"
import { localPath, sideNames, sideTable, tableNames } from "../store/database.ts"
import { quoteText } from "../store/filter.ts"
import { type OpenTable, withTable } from "./open.ts"

export interface ColumnInfo {
  readonly name: string
  /** As in a schema: `TEXT`, `EMBEDDING(384)`; for a column that is of no type of Sluice's, the store's own word. */
  readonly type: string
  /** Of a CLASS_LABEL: the names of its classes, each at the position that stands for it. */
  readonly names?: readonly string[]
}

export interface IndexInfo {
  readonly column: string
  /** `FTS`, `BTREE`, ... */
  readonly type: string
  /** Rows that came since the index was built; a search looks at them one by one. */
  readonly unindexedRows: number
}

export interface TableInfo {
  readonly table: string
  readonly uri: string
  readonly version: number
  readonly rows: number
  /** Bytes on disk: all versions, indexes and side tables. */
  readonly bytes: number
  readonly columns: readonly ColumnInfo[]
  readonly hidden: readonly ColumnInfo[]
  /** `done` items are in the table whole; `partial` is part of it. */
  readonly items: { readonly done: number } & Readonly<Record<ItemStatus, number>>
  readonly indexes: readonly IndexInfo[]
  /** Rows of the side table of thumbnails. */
  readonly thumbnails: number
}

/** Bytes of the files in a folder. One that a writer deletes meanwhile counts nothing. */
const folderBytes = async (folder: string): Promise<number> => {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    try {
      bytes += (await stat(join(entry.parentPath, entry.name))).size
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
    }
  }
  return bytes
}

const countSide = async ({ name, db }: OpenTable, side: string, filters: readonly string[]): Promise<number[]> => {
  const table = await db.openTable(sideTable(name, side))
  try {
    return await Promise.all(filters.map((filter) => table.countRows(filter)))
  } finally {
    table.close()
  }
}

const statusIs = (status: ItemStatus): string => `status = ${quoteText(status)}`

/** @throws {TableError} when there is no such table. */
export const inspectTable = (uri: string, name: string): Promise<TableInfo> =>
  withTable(uri, name, async (open) => {
    const { table, schema, db } = open
    const sides = sideNames(await tableNames(db, true), name)
    const columns = (await table.schema()).fields.map((field) => {
      const type = schema.get(field.name)
      return {
        name: field.name,
        type: type ? formatType(type) : String(field.type),
        ...(type?.names && { names: type.names }),
      }
    })
    const [failed = 0, partial = 0, empty = 0] = sides.includes("items")
      ? await countSide(open, "items", [statusIs("failed"), statusIs("partial"), statusIs("empty")])
      : []
    const [thumbnails = 0] = sides.includes("thumbnails") ? await countSide(open, "thumbnails", ["true"]) : []
    const indexes = await table.listIndices()
    let bytes = 0
    for (const part of [name, ...sides.map((side) => sideTable(name, side))]) {
      bytes += await folderBytes(join(localPath(uri), `${part}.lance`))
    }
    return {
      table: name,
      uri,
      version: await table.version(),
      rows: await table.countRows(),
      bytes,
      columns: columns.filter((column) => !isHidden(column.name)),
      hidden: columns.filter((column) => isHidden(column.name)),
      items: { done: schema.has("_end") ? await table.countRows("_end = true") : 0, failed, partial, empty },
      indexes: indexes.map((index) => ({
        column: index.columns.join(", "),
        type: index.indexType,
        unindexedRows: index.numUnindexedRows ?? 0,
      })),
      thumbnails,
    }
  })
