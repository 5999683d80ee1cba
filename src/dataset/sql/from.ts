/** What stands behind FROM: tables, joins, subqueries, and functions that make rows. */
import type { Alias, JoinExpr, Node, RangeFunction, RangeVar } from "libpg-query"
import { isHidden } from "../../model/rows.ts"
import { suggest } from "../../model/suggest.ts"
import { layoutOf } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import { type Context, mark } from "./context.ts"
import { printerFor } from "./expressions.ts"
import { functionName } from "./function-calls.ts"
import { ROW_FUNCTIONS } from "./functions.ts"
import { as, kindOf, locationOf, namesOf, textOf } from "./node.ts"
import type { Scan } from "./scan.ts"
import { type FromItem, need, type Scope, type Slot, slotsOf } from "./scope.ts"
import { errorAt } from "./source.ts"

export interface FromPart {
  readonly text: string
  readonly items: readonly FromItem[]
  /** The columns of `*`, in their order. */
  readonly star: readonly Slot[]
  readonly merged: readonly Slot[]
  /** Rows of these can be left out when WHERE would refuse them. */
  readonly filterable: readonly Scan[]
}

/** The rows' id, in tables of the engine. */
export const ROW_ID = "_rowid"

export const scanName = (index: number): string => `scan ${index}`

const columnNames = (alias: Alias | undefined): string[] => namesOf(alias?.colnames)

/** The names after `AS x(a, b)`: the first ones are replaced. */
const renamed = (names: readonly string[], given: readonly string[]): string[] =>
  names.map((name, index) => given[index] ?? name)

const aliasText = (alias: string, names: readonly string[]): string =>
  `AS ${identifier(alias)}${names.length > 0 ? `(${names.map(identifier).join(", ")})` : ""}`

const partOf = (text: string, alias: string, slots: readonly Slot[], star = slots): FromPart => ({
  text,
  items: [{ alias, slots, star }],
  star,
  merged: [],
  filterable: [],
})

const table = (context: Context, range: RangeVar, scope: Scope | undefined): FromPart => {
  const { relname = "", schemaname, alias, location } = range
  const name = alias?.aliasname ?? relname
  const given = columnNames(alias)
  const cte = schemaname === undefined ? scope?.ctes.get(relname) : undefined
  if (cte) {
    const columns = renamed(cte.columns, given)
    return partOf(`${identifier(relname)} ${aliasText(name, columns)}`, name, slotsOf(name, columns, cte.holds))
  }
  if (schemaname !== undefined && schemaname !== "public") {
    throw errorAt(context.sql, location, `there is no schema ${JSON.stringify(schemaname)}`)
  }
  const open = context.tables.get(relname)
  if (!open) {
    const names = [...(scope?.ctes.keys() ?? []), ...context.names]
    const hint = names.length > 0 ? suggest(relname, names) : ", nor any other; is the folder (uri) that of a database?"
    throw errorAt(context.sql, location, `there is no table ${JSON.stringify(relname)}${hint}`)
  }
  if (given.length > 0) throw errorAt(context.sql, location, "a table's columns cannot be given other names in FROM")
  const scan: Scan = { table: open, alias: name, needed: new Set(), scores: [], rowIds: false }
  const at = context.scans.push(scan) - 1
  const slots = [...open.schema].map(
    ([column, type]): Slot => ({
      name: column,
      sql: `${identifier(name)}.${identifier(column)}`,
      stored: { scan, type, rowId: `${identifier(name)}.${identifier(ROW_ID)}` },
      holds: layoutOf(type) === "bytes" ? "bytes" : undefined,
    }),
  )
  const star = slots.filter((slot) => !isHidden(slot.name))
  const text = `${mark(location)}${identifier(scanName(at))} ${aliasText(name, [])}`
  return { ...partOf(text, name, slots, star), filterable: [scan] }
}

const rowFunction = (context: Context, range: RangeFunction, scope: Scope | undefined): FromPart => {
  const [list] = range.functions ?? []
  const call = as(as(list, "List")?.items?.[0], "FuncCall")
  const name = call ? functionName(context, call) : ""
  const column = Object.hasOwn(ROW_FUNCTIONS, name) ? ROW_FUNCTIONS[name] : undefined
  if (!call || column === undefined || range.ordinality || (range.functions ?? []).length > 1) {
    const known = Object.keys(ROW_FUNCTIONS).join(" and ")
    throw errorAt(context.sql, locationOf(list), `of functions, only ${known} can stand in FROM`)
  }
  const alias = range.alias?.aliasname ?? name
  const [given = range.alias?.aliasname ?? column] = columnNames(range.alias)
  const args = (call.args ?? []).map(printerFor(context, scope)).join(", ")
  return partOf(`${name}(${args}) ${aliasText(alias, [given])}`, alias, slotsOf(alias, [given]))
}

const JOINS: Readonly<Record<string, string>> = {
  JOIN_INNER: "JOIN",
  JOIN_LEFT: "LEFT JOIN",
  JOIN_RIGHT: "RIGHT JOIN",
  JOIN_FULL: "FULL JOIN",
}

const KEEPS_LEFT: ReadonlySet<string> = new Set(["JOIN_INNER", "JOIN_LEFT"])
const KEEPS_RIGHT: ReadonlySet<string> = new Set(["JOIN_INNER", "JOIN_RIGHT"])

const join = (context: Context, expression: JoinExpr, scope: Scope): FromPart => {
  const { jointype = "JOIN_INNER", larg, rarg, quals, usingClause, isNatural, alias } = expression
  if (alias) throw errorAt(context.sql, locationOf(larg), "a join cannot have a name; name its tables")
  const left = fromPart(context, larg, scope)
  const right = fromPart(context, rarg, { ...scope, items: [...scope.items, ...left.items] })
  const items = [...left.items, ...right.items]
  const using = isNatural
    ? left.star.map(({ name }) => name).filter((name) => right.star.some((slot) => slot.name === name))
    : usingClause?.map((node) => textOf(node) ?? "")
  const filterable = [
    ...(KEEPS_LEFT.has(jointype) ? left.filterable : []),
    ...(KEEPS_RIGHT.has(jointype) ? right.filterable : []),
  ]
  const both = `${left.text} ${JOINS[jointype] ?? "JOIN"} ${right.text}`
  if (using && using.length > 0) {
    const merged = using.map((name): Slot => {
      for (const side of [left, right]) {
        const slot = side.star.find((one) => one.name === name)
        if (!slot) {
          throw errorAt(context.sql, locationOf(larg), `USING: not both tables have a column ${JSON.stringify(name)}`)
        }
        need(slot)
      }
      return { name, sql: identifier(name) }
    })
    const rest = (part: FromPart): Slot[] => part.star.filter(({ name }) => !using.includes(name))
    return {
      text: `(${both} USING (${using.map(identifier).join(", ")}))`,
      items,
      star: [...merged, ...rest(left), ...rest(right)],
      merged: [...left.merged, ...right.merged, ...merged],
      filterable,
    }
  }
  const part = {
    items,
    star: [...left.star, ...right.star],
    merged: [...left.merged, ...right.merged],
    filterable,
  }
  if (!quals) return { ...part, text: `(${left.text} CROSS JOIN ${right.text})` }
  const inner: Scope = { ...scope, items: [...scope.items, ...items], merged: [...scope.merged, ...part.merged] }
  return { ...part, text: `(${both} ON ${printerFor(context, inner)(quals)})` }
}

/** `scope` is what a LATERAL query sees: what stands before in this FROM, and around the query. */
const fromPart = (context: Context, node: Node | undefined, scope: Scope): FromPart => {
  const range = as(node, "RangeVar")
  if (range) return table(context, range, scope)
  const joined = as(node, "JoinExpr")
  if (joined) return join(context, joined, scope)
  const call = as(node, "RangeFunction")
  if (call) return rowFunction(context, call, scope)
  const sub = as(node, "RangeSubselect")
  const select = as(sub?.subquery, "SelectStmt")
  if (!node || !sub || !select) {
    throw errorAt(context.sql, locationOf(node), `${node ? kindOf(node) : "nothing"} cannot stand in FROM`)
  }
  const seen: Scope | undefined = sub.lateral ? scope : { items: [], merged: [], ctes: scope.ctes, outer: scope.outer }
  const { text, columns, holds } = context.subquery(select, seen)
  const alias = sub.alias?.aliasname ?? `query ${locationOf(node) ?? 0}`
  const names = renamed(columns, columnNames(sub.alias))
  const slots = slotsOf(alias, names, holds)
  return partOf(`${sub.lateral ? "LATERAL " : ""}(${text}) ${aliasText(alias, names)}`, alias, slots)
}

/** All of a FROM, and the scope that it makes for the rest of its query. */
export const printFrom = (
  context: Context,
  nodes: readonly Node[],
  outer: Scope | undefined,
  ctes: Scope["ctes"],
): { readonly part: FromPart; readonly scope: Scope } => {
  let part: FromPart = { text: "", items: [], star: [], merged: [], filterable: [] }
  for (const node of nodes) {
    const next = fromPart(context, node, { items: part.items, merged: part.merged, ctes, outer })
    part = {
      text: part.text === "" ? next.text : `${part.text}, ${next.text}`,
      items: [...part.items, ...next.items],
      star: [...part.star, ...next.star],
      merged: [...part.merged, ...next.merged],
      filterable: [...part.filterable, ...next.filterable],
    }
  }
  const seen = new Set<string>()
  for (const { alias } of part.items) {
    if (seen.has(alias)) {
      throw errorAt(
        context.sql,
        locationOf(nodes[0]),
        `${JSON.stringify(alias)} stands twice in FROM; give one another name with AS`,
      )
    }
    seen.add(alias)
  }
  return { part, scope: { items: part.items, merged: part.merged, ctes, outer } }
}
