/** Brings what a query needs of the stored tables into tables of the engine. */
import type { DuckDBType } from "@duckdb/node-api"
import { TableError } from "../../model/errors.ts"
import { identifier } from "../../readers/duckdb.ts"
import { batchesOf } from "../../store/scan.ts"
import { withAbort } from "./abort.ts"
import { appenderOf, engineTypeOf } from "./append.ts"
import type { Engine } from "./engine.ts"
import { ROW_ID, scanName } from "./from.ts"
import { scoredBatches } from "./load-scores.ts"
import { queryOf, type Scan } from "./scan.ts"

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

const load = async (engine: Engine, scan: Scan, name: string, signal: AbortSignal): Promise<void> => {
  const { api, bindings, connection } = engine
  const columns = columnsOf(scan)
  const { schema, table } = scan.table
  const scores = scan.scores.filter(({ needed }) => needed)
  const searched = scores.length > 0 || scan.found !== undefined
  // Rows have to be there to be counted.
  const ids = scan.rowIds || searched || columns.length === 0
  const types = new Map<string, DuckDBType>()
  for (const column of columns) types.set(column, engineTypeOf(api, schema.get(column) ?? { name: "TEXT" }))
  if (ids) types.set(ROW_ID, api.BIGINT)
  for (const { column } of scores) types.set(column, api.DOUBLE)
  const definitions = [...types].map(([column, type]) => `${identifier(column)} ${type}`)
  await connection.run(`CREATE TEMP TABLE ${identifier(name)} (${definitions.join(", ")})`)
  const appender = await connection.createAppender(name)
  try {
    const append = appenderOf(api, bindings, appender, types)
    const batches = searched
      ? scoredBatches(scan, columns)
      : batchesOf(table, schema, queryOf(scan), columns, ids ? ROW_ID : undefined)
    for await (const batch of withAbort(batches, signal)) append(batch)
  } finally {
    appender.closeSync()
  }
}

/** One table of the engine for each scan; those that read the same are read once. */
export const loadAll = async (engine: Engine, scans: readonly Scan[], signal: AbortSignal): Promise<void> => {
  const done = new Map<string, string>()
  // In one transaction: the engine would put every part of a table in its place by itself.
  await engine.connection.run("BEGIN")
  for (const [index, scan] of scans.entries()) {
    const name = scanName(index)
    const scores = scan.scores.filter(({ needed }) => needed).map(({ column, key }) => [column, key])
    const found = scan.found && [scan.found.score.key, scan.found.limit, scan.found.ties]
    const { table, where, limit, rowIds } = scan
    const key = JSON.stringify([table.name, where, limit, rowIds, [...scan.needed].sort(), scores, found ?? null])
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
