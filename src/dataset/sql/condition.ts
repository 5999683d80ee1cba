/** Conditions that callers give as text, in the store's SQL. */
import type { Schema } from "../../model/types.ts"
import { storeFilter } from "./filter.ts"
import { as, namesOf } from "./node.ts"
import { parseStatement } from "./source.ts"

/**
 * The condition without a NOT around others: on columns that have an index, the store takes rows with nulls for others
 * there. What is no PostgreSQL, or has more in it than comparisons, stays as it is.
 */
export const withoutNot = async (where: string, schema: Schema): Promise<string> => {
  // The parser takes 100 MiB; few conditions need it.
  if (!/\bnot\b/i.test(where)) return where
  const statement = await parseStatement(`SELECT WHERE ${where}\n`).catch(() => undefined)
  const select = as(statement, "SelectStmt")
  if (!select?.whereClause || Object.keys(select).length > 3) return where
  const column = (node: Parameters<typeof as>[0]) => {
    const [name = "", more] = namesOf(as(node, "ColumnRef")?.fields)
    const type = more === undefined ? schema.get(name) : undefined
    return type && { name, type }
  }
  return storeFilter({ column, param: () => undefined }, select.whereClause) ?? where
}
