/** What a table is. */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import type { ItemStatus } from "../model/item.ts"
import { isHidden } from "../model/rows.ts"
import { formatType } from "../model/types.ts"
import { localPath, openExisting, sideNames, sideTable, tableNames } from "../store/database.ts"
import { quoteText } from "../store/filter.ts"
import { sidesAt } from "../store/history.ts"
import { listTableIndexes } from "../store/indexes.ts"
import { storedVersions, tagsOf } from "../store/versions.ts"
import { columnBytes } from "./column-bytes.ts"
import { type At, type OpenTable, withTableAt } from "./open.ts"

export interface ColumnInfo {
  readonly name: string
  /** As in a schema: `TEXT`, `EMBEDDING(384)`; for a column that is of no type of Sluice's, the store's own word. */
  readonly type: string
  /** Of a CLASS_LABEL: the names of its classes, each at the position that stands for it. */
  readonly names?: readonly string[]
  /**
   * Of all its values, before the store compresses them. Null for a type that is not Sluice's, and where `estimated` and
   * none of the rows that were looked at has a value.
   */
  readonly bytes: number | null
  /** The bytes were counted in some rows, and taken to be like that in the others. */
  readonly estimated: boolean
}

export interface IndexInfo {
  readonly column: string
  /** `BM25`, `BTREE`, ... */
  readonly type: string
  readonly indexedRows: number
  /** Rows that came since the index was built; a search looks at them one by one. */
  readonly unindexedRows: number
}

export interface TableInfo {
  readonly table: string
  readonly uri: string
  readonly version: number
  /** Versions that can be read: how many, and the oldest one. */
  readonly versions: { readonly kept: number; readonly oldest: number }
  /** Names of versions. */
  readonly tags: Readonly<Record<string, number>>
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

/** Counts rows of a side table; `at` is the version of it to look at, 0 for one that was not there yet. */
const countSide = async (
  { name, db }: OpenTable,
  side: string,
  filters: readonly string[],
  at: number | undefined,
): Promise<number[]> => {
  if (at === 0) return filters.map(() => 0)
  const table = await db.openTable(sideTable(name, side))
  try {
    if (at !== undefined) await table.checkout(at)
    return await Promise.all(filters.map((filter) => table.countRows(filter)))
  } finally {
    table.close()
  }
}

const statusIs = (status: ItemStatus): string => `status = ${quoteText(status)}`

export interface InspectOptions {
  /** A version, or a tag. Default: the version that the table has now. */
  readonly at?: At
}

/**
 * What a table is made of: columns, items, indexes, versions. Rows are not read, but for some to tell how large they are.
 *
 * @throws {TableError} when there is no such table or version.
 */
export const inspectTable = (uri: string, name: string, { at }: InspectOptions = {}): Promise<TableInfo> =>
  withTableAt(uri, name, at, async (open) => {
    const { table, schema, db } = open
    const folder = localPath(uri)
    const version = await table.version()
    const sides = sideNames(await tableNames(db, true), name)
    // As they were then: a record of now says nothing of the rows of an older version.
    const then = at === undefined ? undefined : await sidesThen(open, version)
    const rows = await table.countRows()
    const sizes = await columnBytes(table, schema, rows)
    const columns = (await table.schema()).fields.map((field) => {
      const type = schema.get(field.name)
      return {
        name: field.name,
        type: type ? formatType(type) : String(field.type),
        ...(type?.names && { names: type.names }),
        ...(sizes.get(field.name) ?? { bytes: null, estimated: false }),
      }
    })
    const statuses = [statusIs("failed"), statusIs("partial"), statusIs("empty")]
    const [failed = 0, partial = 0, empty = 0] = sides.includes("items")
      ? await countSide(open, "items", statuses, then?.get("items"))
      : []
    const [thumbnails = 0] = sides.includes("thumbnails")
      ? await countSide(open, "thumbnails", ["true"], then?.get("thumbnails"))
      : []
    let bytes = 0
    for (const part of [name, ...sides.map((side) => sideTable(name, side))]) {
      bytes += await folderBytes(join(folder, `${part}.lance`))
    }
    const versions = await storedVersions(folder, name)
    return {
      table: name,
      uri,
      version,
      versions: { kept: versions.length, oldest: versions[0] ?? version },
      tags: Object.fromEntries(await tagsOf(table)),
      rows,
      bytes,
      columns: columns.filter((column) => !isHidden(column.name)),
      hidden: columns.filter((column) => isHidden(column.name)),
      items: { done: schema.has("_end") ? await table.countRows("_end = true") : 0, failed, partial, empty },
      indexes: (await listTableIndexes(table)).map(({ column, type, indexedRows, unindexedRows }) => ({
        column,
        type,
        indexedRows,
        unindexedRows,
      })),
      thumbnails,
    }
  })

/** The versions of the side tables at a version of the table. */
const sidesThen = async ({ db, name }: OpenTable, version: number): Promise<ReadonlyMap<string, number>> => {
  const newest = await openExisting(db, name)
  try {
    return await sidesAt(db, newest, version)
  } finally {
    newest.close()
  }
}
