/** The SELECT that makes a view: columns by name, a condition for the store, an order, a limit. */
import type { ColumnOrdering } from "@lancedb/lancedb"
import type { Node } from "libpg-query"
import { messageOf, TableError } from "../../model/errors.ts"
import { quoteName } from "../../store/filter.ts"
import { as, constantOf, textOf } from "../sql/node.ts"

export interface ViewQuery {
  /** Undefined: all there are. */
  readonly columns?: readonly string[]
  /** In the store's SQL. */
  readonly where?: string
  readonly orderBy: readonly ColumnOrdering[]
  readonly limit?: number
  readonly offset: number
}

const KNOWN = [
  "targetList",
  "fromClause",
  "whereClause",
  "sortClause",
  "limitCount",
  "limitOffset",
  "limitOption",
  "op",
]

const refusal = (sql: string, problem: string, at?: number): TableError => {
  const place = at === undefined ? "" : ` at position ${Buffer.from(sql).subarray(0, at).toString().length + 1}`
  return new TableError(
    `View ${JSON.stringify(sql)}: ${problem}${place}. Expected SELECT columns [WHERE condition] [ORDER BY columns] [LIMIT n] [OFFSET n]`,
  )
}

/** The column's name as it is in the table: names without quotes are in lower case after parsing, as PostgreSQL has it. */
const columnOf = (sql: string, node: Node | undefined, known: readonly string[]): string | undefined => {
  const { fields = [], location } = as(node, "ColumnRef") ?? {}
  const [field, more] = fields
  if (as(field, "A_Star") && !more) return undefined
  const name = textOf(field)
  if (name === undefined || more)
    throw refusal(sql, "a column stands by its plain name; found something else", location)
  if (known.includes(name)) return name
  const alike = known.filter((one) => one.toLowerCase() === name)
  return alike.length === 1 ? alike[0] : name
}

const numberOf = (sql: string, node: Node | undefined, what: string): number | undefined => {
  if (!node) return undefined
  const fixed = as(node, "A_Const")
  const value = fixed && constantOf(fixed)
  if (value === null) return undefined
  if (fixed?.ival && typeof value === "number") return value
  throw refusal(sql, `${what} is a whole number; found something else`, fixed?.location)
}

interface Token {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly tokenName: string
}

/** The condition as it is written, with quoted names in the store's quotes. */
const whereOf = (sql: string, tokens: readonly Token[]): string | undefined => {
  let depth = 0
  let inside = false
  let where = ""
  let last: Token | undefined
  for (const token of tokens) {
    const word = token.text.toUpperCase()
    if (token.tokenName === "SQL_COMMENT" || token.tokenName === "C_COMMENT") continue
    if (depth === 0 && inside && ["ORDER", "LIMIT", "OFFSET", ";"].includes(word)) break
    if (inside) {
      if (token.tokenName === "PARAM")
        throw refusal(sql, "a value stands in the query itself; found a placeholder", token.start)
      const name = token.tokenName === "IDENT" && token.text.startsWith('"')
      const gap = last && token.start > last.end ? " " : ""
      where += gap + (name ? quoteName(token.text.slice(1, -1).replaceAll('""', '"')) : token.text)
      last = token
    } else if (depth === 0 && word === "WHERE") inside = true
    if (token.text === "(") depth++
    if (token.text === ")") depth--
  }
  return inside ? where : undefined
}

/**
 * Takes apart the query of a view over `table`, whose columns are `known`. There need be no FROM.
 *
 * @throws {TableError} with the position, for what is no such query.
 */
export const parseView = async (sql: string, table: string, known: readonly string[]): Promise<ViewQuery> => {
  const { parse, scan } = await import("libpg-query")
  let parsed: Awaited<ReturnType<typeof parse>>
  try {
    parsed = await parse(sql)
  } catch (error) {
    const { sqlDetails } = error as { readonly sqlDetails?: { readonly cursorPosition: number } }
    throw refusal(sql, messageOf(error), sqlDetails?.cursorPosition)
  }
  const [statement, second] = parsed.stmts ?? []
  const select = as(statement?.stmt, "SelectStmt")
  if (!select || second) throw refusal(sql, "one SELECT makes a view; found something else")
  const foreign = Object.keys(select).find((key) => !KNOWN.includes(key))
  if (foreign !== undefined || select.op !== "SETOP_NONE") {
    throw refusal(sql, `${foreign ?? "a set operation"} is nothing for a view`)
  }
  for (const from of select.fromClause ?? []) {
    const { relname, location } = as(from, "RangeVar") ?? {}
    if (relname !== table) throw refusal(sql, `a view is made of its own table, ${table}; found another one`, location)
  }
  const columns = (select.targetList ?? []).flatMap((target) => {
    const { name, val, location } = as(target, "ResTarget") ?? {}
    if (name !== undefined) throw refusal(sql, "columns keep their names in a view; found another one", location)
    if (!as(val, "ColumnRef")) throw refusal(sql, "a view has columns of its table; found an expression", location)
    return columnOf(sql, val, known) ?? "*"
  })
  if (columns.includes("*") && columns.length > 1) throw refusal(sql, "* stands alone; found other columns beside it")
  const orderBy = (select.sortClause ?? []).map((clause) => {
    const { node, sortby_dir, sortby_nulls } = as(clause, "SortBy") ?? {}
    const columnName = columnOf(sql, node, known)
    if (columnName === undefined) throw refusal(sql, "rows are ordered by columns; found *")
    const ascending = sortby_dir !== "SORTBY_DESC"
    // As in PostgreSQL, where nulls count as larger than everything.
    const nullsFirst = sortby_nulls === "SORTBY_NULLS_DEFAULT" ? !ascending : sortby_nulls === "SORTBY_NULLS_FIRST"
    return { columnName, ascending, nullsFirst }
  })
  const where = select.whereClause && whereOf(sql, (await scan(sql)).tokens)
  const limit = numberOf(sql, select.limitCount, "LIMIT")
  return {
    ...(columns.includes("*") ? {} : { columns }),
    ...(where !== undefined && { where }),
    orderBy,
    ...(limit !== undefined && { limit }),
    offset: numberOf(sql, select.limitOffset, "OFFSET") ?? 0,
  }
}
