/** Brings what a query needs of the stored tables into tables of the engine. */
import type { DuckDBType } from "@duckdb/node-api"
import type { Query } from "@lancedb/lancedb"
import type { Batch } from "../../model/batch.ts"
import { type Column, numberColumn } from "../../model/column.ts"
import { TableError } from "../../model/errors.ts"
import { layoutOf } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { batchesOf } from "../../store/scan.ts"
import { withAbort } from "./abort.ts"
import { appenderOf, engineTypeOf } from "./append.ts"
import type { Engine } from "./engine.ts"
import { ROW_ID, scanName } from "./from.ts"
import type { Scan } from "./scope.ts"

/** The store's query for the rows of a scan. */
export const queryOf = ({ table: { table }, where, limit }: Scan): Query => {
  const query = table.query()
  if (where !== undefined) query.where(where)
  if (limit !== undefined) query.limit(limit)
  return query
}

/** Names of the columns to read, in the table's order. */
const columnsOf = (scan: Scan): string[] => {
  const names = [...scan.table.schema.keys()].filter((name) => scan.needed.has(name))
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(name.toLowerCase())
    if (other !== undefined) {
      throw new TableError(
        `SQL: the columns ${JSON.stringify(other)} and ${JSON.stringify(name)} of ${scan.table.name} differ only in their capitals, and cannot be used in one query`,
      )
    }
    seen.set(name.toLowerCase(), name)
  }
  return names
}

async function* withRowIds(query: Query, columns: readonly string[]): AsyncGenerator<Batch> {
  query.select([...columns]).withRowId()
  for await (const record of query) {
    const ids = record.getChild("_rowid")?.toArray() as BigUint64Array
    const rowIds: Column = numberColumn(new BigInt64Array(ids.buffer as ArrayBuffer, ids.byteOffset, ids.length), {
      name: "INT64",
    })
    yield { rows: record.numRows, columns: new Map([...fromRecordBatch(record).columns, [ROW_ID, rowIds]]) }
  }
}

const load = async (engine: Engine, scan: Scan, name: string, signal: AbortSignal): Promise<void> => {
  const { api, bindings, connection } = engine
  const columns = columnsOf(scan)
  const { schema, table } = scan.table
  // Rows have to be there to be counted.
  const ids = scan.rowIds || columns.length === 0
  const types = new Map<string, DuckDBType>()
  for (const column of columns) types.set(column, engineTypeOf(api, schema.get(column) ?? { name: "TEXT" }))
  if (ids) types.set(ROW_ID, api.BIGINT)
  const definitions = [...types].map(([column, type]) => `${identifier(column)} ${type}`)
  await connection.run(`CREATE TEMP TABLE ${identifier(name)} (${definitions.join(", ")})`)
  const appender = await connection.createAppender(name)
  try {
    const append = appenderOf(api, bindings, appender, types)
    const query = queryOf(scan)
    const batches = ids ? withRowIds(query, columns) : batchesOf(table, schema, query, columns)
    for await (const batch of withAbort(batches, signal)) append(batch)
  } finally {
    appender.closeSync()
  }
}

/** Whether rows of it can be fetched later: bytes that are read anyway are read by another way, without ids. */
export const canBeLate = ({ needed, table }: Scan): boolean =>
  [...needed].every((name) => {
    const type = table.schema.get(name)
    return type === undefined || layoutOf(type) !== "bytes"
  })

/** One table of the engine for each scan; those that read the same are read once. */
export const loadAll = async (engine: Engine, scans: readonly Scan[], signal: AbortSignal): Promise<void> => {
  const done = new Map<string, string>()
  // In one transaction: the engine would put every part of a table in its place by itself.
  await engine.connection.run("BEGIN")
  for (const [index, scan] of scans.entries()) {
    const name = scanName(index)
    const key = JSON.stringify([scan.table.name, scan.where, scan.limit, scan.rowIds, [...scan.needed].sort()])
    const same = done.get(key)
    if (same === undefined) {
      await load(engine, scan, name, signal)
      done.set(key, name)
    } else {
      await engine.connection.run(`CREATE TEMP VIEW ${identifier(name)} AS FROM ${identifier(same)}`)
    }
  }
  await engine.connection.run("COMMIT")
}
