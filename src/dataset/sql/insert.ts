/** INSERT: the rows of one statement are an item `sql:<uuid>` of the table. */
import { randomUUID } from "node:crypto"
import type { InsertStmt, Node } from "libpg-query"
import { type Batch, batchOf } from "../../model/batch.ts"
import { HIDDEN_COLUMNS, HIDDEN_SCHEMA, hiddenColumns, isHidden, sqlItem } from "../../model/rows.ts"
import type { Schema } from "../../model/types.ts"
import { toTable } from "../../store/arrow.ts"
import { changeTable } from "../../store/change.ts"
import { edgeOf } from "../../store/reader.ts"
import { batchesOfPlan, checkChangeable, checkTarget, enginePlan, rowsOf, type Statement } from "./changed-rows.ts"
import { newContext } from "./context.ts"
import { as } from "./node.ts"
import { noRows, openSelect, type QueryResult } from "./query.ts"
import { printSelect } from "./select.ts"
import { errorAt } from "./source.ts"
import { namedTables, openTables } from "./tables.ts"

/** The columns that are filled, in the order of the values. */
const targetsOf = ({ sql }: Statement, insert: InsertStmt, schema: Schema, values: number): Schema => {
  const table = insert.relation?.relname ?? ""
  const given = (insert.cols ?? []).flatMap((node) => as(node, "ResTarget") ?? [])
  const visible = [...schema.keys()].filter((name) => !isHidden(name))
  const names =
    given.length > 0
      ? given.map(({ name = "", location }) => [name, location] as const)
      : visible.slice(0, values).map((name) => [name, undefined] as const)
  const types = new Map(names.map(([name, location]) => [name, checkTarget(sql, schema, table, name, location)]))
  const location = insert.relation?.location
  if (types.size < names.length) throw errorAt(sql, location, "a column is named twice")
  if (types.size !== values) {
    throw errorAt(sql, location, `expected a value for each of ${[...types.keys()].join(", ")}, found ${values} values`)
  }
  return types
}

/** What RETURNING is: a query of the rows that were inserted. */
const returning = (insert: InsertStmt, targets: readonly Node[], item: string) => ({
  targetList: [...targets],
  fromClause: [{ RangeVar: insert.relation ?? {} }],
  whereClause: {
    A_Expr: {
      kind: "AEXPR_OP" as const,
      name: [{ String: { sval: "=" } }],
      lexpr: { ColumnRef: { fields: [{ String: { sval: "_item" } }] } },
      rexpr: { A_Const: { sval: { sval: item } } },
    },
  },
  sortClause: [{ SortBy: { node: { ColumnRef: { fields: [{ String: { sval: "_row" } }] } } } }],
})

/** @throws {TableError} for a value that does not fit, a column that is not there, or a table that is being written. */
export const insert = async (statement: Statement, node: InsertStmt): Promise<QueryResult> => {
  const { uri, sql, params, signal } = statement
  const { relation, selectStmt, onConflictClause, withClause, returningClause } = node
  const returned = returningClause?.exprs ?? []
  if (onConflictClause) throw errorAt(sql, onConflictClause.location, "ON CONFLICT is not supported")
  const source = as(selectStmt, "SelectStmt")
  if (!source || withClause) throw errorAt(sql, relation?.location, "expected VALUES or a SELECT after INSERT INTO")
  const name = checkChangeable(sql, relation)
  const open = await openTables(uri, namedTables(node, name))
  const item = sqlItem(randomUUID())
  let rows = 0
  try {
    const table = open.tables.get(name)
    const context = newContext(sql, open, params, printSelect)
    const { text, columns } = printSelect(context, source, undefined)
    if (!table) throw errorAt(sql, relation?.location, `there is no table ${JSON.stringify(name)}`)
    const missing = HIDDEN_COLUMNS.find((name) => !table.schema.has(name))
    if (missing) throw errorAt(sql, relation?.location, `${table.name} was not written by Sluice: it has no ${missing}`)
    const types = targetsOf(statement, node, table.schema, columns.length)
    // What is returned is looked at before anything is written.
    if (returned.length > 0) {
      const check = { ...returning(node, returned, item), limitCount: { A_Const: { ival: {} } } }
      await (await openSelect(uri, sql, check, [], signal)).pages.return(undefined)
    }
    const batches = await batchesOfPlan(enginePlan(context, text, columns), statement, types)
    rows = rowsOf(batches)
    if (rows > 0) await write(statement, table.name, item, batches)
  } finally {
    open.close()
  }
  if (returned.length === 0) return noRows({ rows, how: "inserted" })
  return openSelect(uri, sql, returning(node, returned, item), [], signal)
}

const write = ({ uri, signal }: Statement, name: string, item: string, batches: readonly Batch[]): Promise<void> =>
  changeTable(uri, name, async ({ table, schema, check }) => {
    const commit = (await edgeOf(table, "last")) + 1
    let firstRow = 0
    const whole = batches.map((batch, index) => {
      const span = { item, version: "1", firstRow, rows: batch.rows, end: index === batches.length - 1 }
      firstRow += batch.rows
      return batchOf(Object.fromEntries([...hiddenColumns([span], commit), ...batch.columns]))
    })
    signal.throwIfAborted()
    await check()
    await table.add(toTable(new Map([...HIDDEN_SCHEMA, ...schema]), whole))
  })
