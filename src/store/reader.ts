/** Reads tables for the engine: the rows that are committed, with their hidden columns. */
import { existsSync } from "node:fs"
import type { Batch } from "../model/batch.ts"
import type { Reader, RowFilter } from "../model/sink.ts"
import { fromSchema } from "./arrow.ts"
import {
  type Connection,
  connect,
  localPath,
  openExisting,
  sideNames,
  sideTable,
  type Table,
  tableNames,
} from "./database.ts"
import { toSql } from "./filter.ts"
import { batchesOf } from "./scan.ts"

/** The highest or lowest `_commit`. */
export const edgeOf = async (table: Table | undefined, side: "first" | "last"): Promise<number> => {
  if (!table) return 0
  const [first] = await table
    .query()
    .select(["_commit"])
    .orderBy({ columnName: "_commit", ascending: side === "first" })
    .limit(1)
    .toArray()
  return first ? Number(first._commit) : 0
}

const emptyReader: Reader = {
  schema: new Map(),
  version: 0,
  read: async function* () {},
  edge: async () => 0,
  side: async () => emptyReader,
  sides: async () => [],
  close: async () => {},
}

const readerOf = async (db: Connection, name: string, closed: () => void): Promise<Reader> => {
  const names = await tableNames(db, true)
  const table = names.includes(name) ? await openExisting(db, name) : undefined
  const readers: Reader[] = []
  return {
    schema: table ? fromSchema(await table.schema()) : new Map(),
    version: table ? await table.version() : 0,
    read: (columns, filter = {}) => readCommitted(table, columns, filter),
    edge: (side) => edgeOf(table, side),
    side: async (suffix) => {
      const reader = await readerOf(db, sideTable(name, suffix), () => {})
      readers.push(reader)
      return reader
    },
    sides: async () => sideNames(names, name),
    close: async () => {
      for (const reader of readers) await reader.close()
      table?.close()
      closed()
    },
  }
}

/** The table as it is now, to look at it: it takes no lock and makes nothing. One that is not there is empty. */
export const openReader = async (uri: string, name: string): Promise<Reader> => {
  if (!existsSync(localPath(uri))) return emptyReader
  const db = await connect(uri)
  return readerOf(db, name, () => db.close())
}

/** Committed rows, in the order in which they were written; none where there is no table. */
export async function* readCommitted(
  table: Table | undefined,
  columns: readonly string[],
  filter: RowFilter,
): AsyncGenerator<Batch> {
  if (!table) return
  const query = table.query()
  const where = toSql(filter)
  if (where) query.where(where)
  yield* batchesOf(table, fromSchema(await table.schema()), query, columns)
}
