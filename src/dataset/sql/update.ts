/** UPDATE: the rows keep what they are to a run (`_item`, `_version`, `_row`, ...), and get new values. */
import type { UpdateStmt } from "libpg-query"
import { HIDDEN_SCHEMA } from "../../model/rows.ts"
import type { ColumnType } from "../../model/types.ts"
import { toTable } from "../../store/arrow.ts"
import { changeTable } from "../../store/change.ts"
import {
  batchesOfPlan,
  checkChangeable,
  checkTarget,
  enginePlan,
  matching,
  rowsOf,
  type Statement,
} from "./changed-rows.ts"
import { as } from "./node.ts"
import { noRows, type QueryResult } from "./query.ts"
import { errorAt } from "./source.ts"
import { namedTables, openTables } from "./tables.ts"

/** Together they are a row's own; the store matches by them. */
const KEYS = ["_item", "_version", "_row"] as const

/** @throws {TableError} for a value that does not fit, a column that is not there, or a table that is being written. */
export const update = async (statement: Statement, node: UpdateStmt): Promise<QueryResult> => {
  const { uri, sql, signal } = statement
  const { relation, targetList = [], fromClause, whereClause, withClause } = node
  if (fromClause || withClause || node.returningClause) {
    throw errorAt(sql, relation?.location, "UPDATE has SET and WHERE here, and no FROM, WITH or RETURNING")
  }
  const name = checkChangeable(sql, relation)
  // The table may not change between what is computed and what is written.
  const existing = await openTables(uri, new Set([name]))
  existing.close()
  if (!existing.tables.has(name)) throw errorAt(sql, relation?.location, `there is no table ${JSON.stringify(name)}`)
  return changeTable(uri, name, async ({ table, schema, check }) => {
    const open = await openTables(uri, namedTables(node, name))
    try {
      const { context, column, print, from } = matching(statement, open, relation, whereClause)
      const missing = KEYS.find((key) => !schema.has(key))
      if (missing) throw errorAt(sql, relation?.location, `${name} was not written by Sluice: it has no ${missing}`)
      const types = new Map<string, ColumnType>()
      const values = targetList.map((item) => {
        const { name: target = "", val, location, indirection } = as(item, "ResTarget") ?? {}
        if (indirection || as(val, "MultiAssignRef")) throw errorAt(sql, location, "expected column = value")
        if (types.has(target)) throw errorAt(sql, location, `${JSON.stringify(target)} is set twice`)
        types.set(target, checkTarget(sql, schema, name, target, location))
        return print(val)
      })
      const keys = KEYS.map((key) => column(key))
      const all = new Map([
        ...KEYS.map((key) => [key, HIDDEN_SCHEMA.get(key) ?? { name: "TEXT" as const }] as const),
        ...types,
      ])
      const plan = enginePlan(context, `SELECT ${[...keys, ...values].join(", ")}${from}`, [...all.keys()])
      const batches = await batchesOfPlan(plan, statement, all)
      const rows = rowsOf(batches)
      if (rows === 0) return noRows({ rows, how: "updated" })
      signal.throwIfAborted()
      await check()
      await table
        .mergeInsert([...KEYS])
        .whenMatchedUpdateAll()
        .execute(toTable(all, batches))
      return noRows({ rows, how: "updated" })
    } finally {
      open.close()
    }
  })
}
