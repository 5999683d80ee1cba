/**
 * DELETE. An item of which rows are left stays what it is, done: where its last row goes, which says so, the last one
 * that is left says it. An item of which no row is left is not in the table any more, and a run whose source has it
 * brings it again.
 */
import type { DeleteStmt } from "libpg-query"
import { valueAt } from "../../model/column.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { type Changing, changeTable } from "../../store/change.ts"
import { sideTable } from "../../store/database.ts"
import { quoteText } from "../../store/filter.ts"
import { connectExisting } from "../open.ts"
import { checkChangeable, enginePlan, matching, type Statement } from "./changed-rows.ts"
import { checkAllUsed } from "./context.ts"
import { noRows, pagesOf, type QueryResult } from "./query.ts"
import { errorAt } from "./source.ts"
import { namedTables, openTables } from "./tables.ts"

/** So many items are named in one condition of the store. */
const AT_ONCE = 5000
/** So many rows by their ids; a statement with more of them that the store cannot find itself is several versions. */
const IDS_AT_ONCE = 200_000

interface Key {
  readonly id: bigint
  readonly item: string
  readonly version: string
  readonly row: number
}

const inParts = <T>(all: readonly T[], size = AT_ONCE): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size))

const idsAre = (ids: readonly bigint[]): string => `_rowid IN (${ids.join(", ")})`

const keysWhere = async ({ table }: Changing, where: string): Promise<Key[]> => {
  const keys: Key[] = []
  for await (const record of table.query().where(where).select(["_item", "_version", "_row"]).withRowId()) {
    const { columns } = fromRecordBatch(record)
    const text = (name: string, row: number): string => {
      const column = columns.get(name)
      return column ? String(valueAt(column, row) ?? "") : ""
    }
    for (let row = 0; row < record.numRows; row++) {
      const id = record.getChild("_rowid")?.get(row) as bigint
      keys.push({ id, item: text("_item", row), version: text("_version", row), row: Number(text("_row", row)) })
    }
  }
  return keys
}

/** Rows that say that their item is done, in place of those that say so and go. */
const newEnds = async (changing: Changing, conditions: readonly string[]): Promise<bigint[]> => {
  const ends: bigint[] = []
  for (const where of conditions) {
    const ended = await keysWhere(changing, `(${where}) AND _end = true`)
    for (const part of inParts([...new Set(ended.map(({ item }) => item))])) {
      const items = `_item IN (${part.map(quoteText).join(", ")})`
      const going = new Set<bigint>()
      for (const condition of conditions) {
        for (const { id } of await keysWhere(changing, `(${condition}) AND ${items}`)) going.add(id)
      }
      const last = new Map<string, Key>()
      for (const key of await keysWhere(changing, items)) {
        const name = `${key.item}\0${key.version}`
        const before = last.get(name)
        if (!going.has(key.id) && (!before || before.row < key.row)) last.set(name, key)
      }
      const gone = new Set(ended.map(({ item, version }) => `${item}\0${version}`))
      for (const [name, { id }] of last) if (gone.has(name)) ends.push(id)
    }
  }
  return ends
}

/** What was made of the rows goes with them. */
const removeThumbnails = async (uri: string, name: string, changing: Changing, where: string): Promise<void> => {
  const db = await connectExisting(uri)
  if (!db) return
  try {
    const side = sideTable(name, "thumbnails")
    if (!(await db.tableNames()).includes(side)) return
    const rows = new Map<string, number[]>()
    for (const { item, row } of await keysWhere(changing, where)) {
      const numbers = rows.get(item)
      if (numbers) numbers.push(row)
      else rows.set(item, [row])
    }
    const thumbnails = await db.openTable(side)
    try {
      for (const part of inParts([...rows])) {
        const each = part.map(([item, numbers]) => `(_item = ${quoteText(item)} AND _row IN (${numbers.join(", ")}))`)
        await thumbnails.delete(each.join(" OR "))
      }
    } finally {
      thumbnails.close()
    }
  } finally {
    db.close()
  }
}

/** @throws {TableError} for a condition that is none, or a table that is being written. */
export const remove = async (statement: Statement, node: DeleteStmt): Promise<QueryResult> => {
  const { uri, sql, params, signal } = statement
  const { relation, usingClause, whereClause, withClause } = node
  if (usingClause || withClause || node.returningClause) {
    throw errorAt(sql, relation?.location, "DELETE has WHERE here, and no USING, WITH or RETURNING")
  }
  const name = checkChangeable(sql, relation)
  const existing = await openTables(uri, new Set([name]))
  existing.close()
  if (!existing.tables.has(name)) throw errorAt(sql, relation?.location, `there is no table ${JSON.stringify(name)}`)
  const rows = await changeTable(uri, name, async (changing) => {
    const open = await openTables(uri, namedTables(node, name))
    let conditions: readonly string[]
    try {
      const { context, scan, from, filtered, rowId } = matching(statement, open, relation, whereClause)
      checkAllUsed(context, params)
      if (filtered) conditions = [scan.where ?? "true"]
      else {
        scan.rowIds = true
        const ids: bigint[] = []
        for await (const { rows, cells } of pagesOf(
          enginePlan(context, `SELECT ${rowId}${from}`, ["id"]),
          params,
          signal,
        )) {
          for (let row = 0; row < rows; row++) ids.push(BigInt(cells[0]?.(row) as number | bigint))
        }
        conditions = inParts(ids, IDS_AT_ONCE).map(idsAre)
      }
    } finally {
      open.close()
    }
    const { table, schema, check } = changing
    if (schema.has("_end")) {
      const ends = await newEnds(changing, conditions)
      for (const part of inParts(ends, IDS_AT_ONCE)) {
        await check()
        await table.update({ where: idsAre(part), values: { _end: true } })
      }
    }
    const before = await table.countRows()
    for (const where of conditions) {
      signal.throwIfAborted()
      await check()
      if (schema.has("_row")) await removeThumbnails(uri, name, changing, where)
      await table.delete(where)
    }
    return before - (await table.countRows())
  })
  return noRows({ rows, how: "deleted" })
}
