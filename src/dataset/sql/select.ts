/** A SELECT in the engine's SQL. */
import type { CommonTableExpr, Node, SelectStmt, SortBy } from "libpg-query"
import { identifier } from "../../readers/duckdb.ts"
import { type Context, mark, type Printed } from "./context.ts"
import { type Print, printerFor, printSort } from "./expressions.ts"
import { type FromPart, printFrom } from "./from.ts"
import { printWindow } from "./function-calls.ts"
import { as, constantOf, kindOf, locationOf, namesOf, textOf } from "./node.ts"
import { outputName } from "./output-names.ts"
import { pushFilter } from "./push.ts"
import { findItem, need, resolve, type Scan, type Scope, type Slot } from "./scope.ts"
import { errorAt } from "./source.ts"

/** A column of a result. */
export interface Output {
  readonly name: string
  /** The stored column that it is, unchanged. */
  readonly slot?: Slot
  /** Its values are fetched by the ids that stand in its place. */
  late?: true
}

interface Target extends Output {
  readonly node?: Node
}

/** What a SELECT without set operations is made of. */
export interface Shape {
  readonly select: SelectStmt
  readonly outputs: readonly Output[]
  readonly from: FromPart
  /** All of WHERE is in the filters of the scans. */
  readonly filtered: boolean
}

export interface Select extends Printed {
  readonly shape?: Shape
}

/** Which columns of the result are fetched by the ids of its rows, in place of being read for all rows looked at. */
export interface Late {
  readonly wants: (slot: Slot, select: SelectStmt) => boolean
  /** Asked when it is known what else of the table is read. */
  readonly allows: (scan: Scan) => boolean
}

const targetsOf = (context: Context, list: readonly Node[], from: FromPart, scope: Scope): Target[] =>
  list.flatMap((node): Target[] => {
    const { name, val } = as(node, "ResTarget") ?? {}
    const ref = as(val, "ColumnRef")
    if (ref && as(ref.fields?.at(-1), "A_Star")) {
      const alias = ref.fields?.length === 2 ? (textOf(ref.fields[0]) ?? "") : undefined
      const star = alias === undefined ? from.star : findItem(scope, alias)?.star
      if (!star) throw errorAt(context.sql, ref.location, `there is no ${JSON.stringify(alias)} in FROM`)
      if (star.length === 0) throw errorAt(context.sql, ref.location, "there is nothing that * could stand for")
      return star.map((slot) => ({ name: slot.name, slot }))
    }
    if (!val) return []
    if (!ref) return [{ name: name ?? outputName(val), node: val }]
    const slot = resolve(context.sql, ref, scope)
    return [{ name: name ?? slot.name, slot, node: val }]
  })

/** The number of the output that an item of ORDER BY or GROUP BY names; undefined when it is an expression. */
const ordinal = (context: Context, node: Node | undefined, names: readonly string[]): number | undefined => {
  const fixed = as(node, "A_Const")
  const value = fixed ? constantOf(fixed) : undefined
  if (typeof value === "number" || typeof value === "bigint") {
    if (Number.isInteger(value) && value >= 1 && value <= names.length) return Number(value)
    throw errorAt(context.sql, fixed?.location, `there is no column ${value} in the result, which has ${names.length}`)
  }
  const ref = as(node, "ColumnRef")
  const name = ref?.fields?.length === 1 ? textOf(ref.fields[0]) : undefined
  const at = name === undefined ? -1 : names.indexOf(name)
  return at < 0 ? undefined : at + 1
}

/** Keys of ORDER BY, in which names of the result come first; `pin` is told which outputs they are. */
const sortText = (
  context: Context,
  select: SelectStmt,
  names: readonly string[],
  print: Print,
  pin: (output: number) => void,
): string => {
  const keys = (select.sortClause ?? []).map((item) => {
    const sort: SortBy = as(item, "SortBy") ?? {}
    const at = ordinal(context, sort.node, names)
    if (at === undefined) return printSort([item], print)
    pin(at - 1)
    return printSort([item], () => String(at))
  })
  return keys.length > 0 ? ` ORDER BY ${keys.join(", ")}` : ""
}

const limitText = (context: Context, select: SelectStmt, print: Print): string => {
  const { limitCount, limitOffset, limitOption } = select
  if (limitOption === "LIMIT_OPTION_WITH_TIES") {
    throw errorAt(context.sql, locationOf(limitCount), "WITH TIES is not supported")
  }
  const limit = limitCount && !as(limitCount, "A_Const")?.isnull ? ` LIMIT ${print(limitCount)}` : ""
  return `${limit}${limitOffset ? ` OFFSET ${print(limitOffset)}` : ""}`
}

const refuse = (context: Context, select: SelectStmt): void => {
  if (select.lockingClause) throw errorAt(context.sql, undefined, "FOR UPDATE is not supported")
  if (select.intoClause) throw errorAt(context.sql, select.intoClause.rel?.location, "SELECT INTO is not supported")
}

const group = (context: Context, nodes: readonly Node[], targets: readonly Target[], scope: Scope, print: Print) => {
  const item = (node: Node): string => {
    const set = as(node, "GroupingSet")
    if (set) {
      const inner = (set.content ?? []).map(item).join(", ")
      switch (set.kind) {
        case "GROUPING_SET_ROLLUP":
          return `ROLLUP (${inner})`
        case "GROUPING_SET_CUBE":
          return `CUBE (${inner})`
        case "GROUPING_SET_SETS":
          return `GROUPING SETS (${inner})`
        default:
          return `(${inner})`
      }
    }
    const names = targets.map(({ name }) => name)
    const ref = as(node, "ColumnRef")
    // Here a column of the tables comes before a name of the result.
    const name = ref?.fields?.length === 1 ? (textOf(ref.fields[0]) ?? "") : undefined
    const isColumn = name !== undefined && scope.items.some(({ slots }) => slots.some((slot) => slot.name === name))
    const at = isColumn ? undefined : ordinal(context, node, names)
    return at === undefined ? print(node) : String(at)
  }
  return nodes.map(item).join(", ")
}

const plain = (
  context: Context,
  select: SelectStmt,
  outer: Scope | undefined,
  ctes: Scope["ctes"],
  late?: Late,
): Select => {
  const { part: from, scope } = printFrom(context, select.fromClause ?? [], outer, ctes)
  const print = printerFor(context, scope)
  const { whereClause, distinctClause, groupClause, havingClause, windowClause } = select
  const rest = pushFilter(context, whereClause, from, scope)
  const targets = targetsOf(context, select.targetList ?? [], from, scope)
  const pinned = new Set<number>()
  // What the store has looked at need not be looked at again, nor its columns be read.
  const where = rest.length > 0 ? ` WHERE ${rest.map(print).join(" AND ")}` : ""
  const sorted = sortText(
    context,
    select,
    targets.map(({ name }) => name),
    print,
    (output) => pinned.add(output),
  )
  const sort = (items: readonly Node[] | undefined): string => printSort(items, print)
  const windows = (windowClause ?? []).map((node) => {
    const window = as(node, "WindowDef") ?? {}
    return `${identifier(window.name ?? "")} AS (${printWindow({ ...window, name: undefined } as never, print, sort)})`
  })
  const grouped = groupClause ? ` GROUP BY ${group(context, groupClause, targets, scope, print)}` : ""
  const having = havingClause ? ` HAVING ${print(havingClause)}` : ""
  const one = (target: Target | undefined): string =>
    target?.slot && !target.late ? need(target.slot).sql : print(target?.node)
  const keys = (distinctClause ?? []).filter((node) => Object.keys(node).length > 0)
  const on = keys.map((node) => {
    const at = ordinal(
      context,
      node,
      targets.map(({ name }) => name),
    )
    return at === undefined ? print(node) : one(targets[at - 1])
  })
  const distinct = distinctClause ? `DISTINCT ${keys.length > 0 ? `ON (${on.join(", ")}) ` : ""}` : ""
  const texts: string[] = []
  const isLate = ({ slot }: Target, index: number): boolean =>
    late !== undefined &&
    slot?.stored !== undefined &&
    !distinctClause &&
    !pinned.has(index) &&
    late.wants(slot, select)
  // What has to be read for another reason is taken from there.
  targets.forEach((target, index) => {
    if (!isLate(target, index)) texts[index] = `${one(target)} AS ${identifier(target.name)}`
  })
  targets.forEach((target, index) => {
    if (texts[index] !== undefined) return
    const { slot } = target
    const scan = slot?.stored?.scan
    if (!slot || !scan || scan.needed.has(slot.name) || !late?.allows(scan)) {
      texts[index] = `${one(target)} AS ${identifier(target.name)}`
      return
    }
    scan.rowIds = true
    target.late = true
    texts[index] = `${slot.stored?.rowId} AS ${identifier(target.name)}`
  })
  const text = [
    // In EXISTS it does not matter what is selected.
    `SELECT ${distinct}${texts.join(", ") || "NULL"}`,
    from.text === "" ? "" : ` FROM ${from.text}`,
    where,
    grouped,
    having,
    windows.length > 0 ? ` WINDOW ${windows.join(", ")}` : "",
    sorted,
    limitText(context, select, print),
  ].join("")
  return {
    text,
    columns: targets.map(({ name }) => name),
    shape: { select, outputs: targets, from, filtered: rest.length === 0 },
  }
}

const values = (context: Context, lists: readonly Node[], scope: Scope | undefined, select: SelectStmt): Select => {
  const print = printerFor(context, scope)
  const rows = lists.map((list) => `(${(as(list, "List")?.items ?? []).map(print).join(", ")})`)
  const columns = (as(lists[0], "List")?.items ?? []).map((_, index) => `column${index + 1}`)
  const sorted = sortText(context, select, columns, print, () => {})
  const list = columns.map(identifier).join(", ")
  const text = `SELECT * FROM (VALUES ${rows.join(", ")}) AS "values"(${list})${sorted}${limitText(context, select, print)}`
  return { text, columns }
}

const SET_OPERATIONS: Readonly<Record<string, string>> = {
  SETOP_UNION: "UNION",
  SETOP_INTERSECT: "INTERSECT",
  SETOP_EXCEPT: "EXCEPT",
}

const combined = (context: Context, select: SelectStmt, outer: Scope | undefined, ctes: Scope["ctes"]): Select => {
  const { larg, rarg, op = "", all } = select
  const around: Scope = { items: [], merged: [], ctes, outer }
  const left = printSelect(context, larg ?? {}, around)
  const right = printSelect(context, rarg ?? {}, around)
  const print = printerFor(context, around)
  const sorted = sortText(context, select, left.columns, print, () => {})
  const text = `(${left.text}) ${SET_OPERATIONS[op]}${all ? " ALL" : ""} (${right.text})`
  return { text: `${text}${sorted}${limitText(context, select, print)}`, columns: left.columns }
}

const MATERIALIZED: Readonly<Record<string, string>> = {
  CTEMaterializeAlways: "MATERIALIZED ",
  CTEMaterializeNever: "NOT MATERIALIZED ",
}

interface With {
  readonly text: string
  readonly ctes: Scope["ctes"]
}

const withText = (context: Context, select: SelectStmt, scope: Scope | undefined): With => {
  const ctes = new Map(scope?.ctes)
  const { withClause } = select
  if (!withClause) return { text: "", ctes }
  const parts = (withClause.ctes ?? []).map((node) => {
    const cte: CommonTableExpr = as(node, "CommonTableExpr") ?? {}
    const name = cte.ctename ?? ""
    const query = as(cte.ctequery, "SelectStmt")
    if (!query)
      throw errorAt(
        context.sql,
        cte.location,
        `${cte.ctequery ? kindOf(cte.ctequery) : "this"} in WITH is not supported`,
      )
    const given = namesOf(cte.aliascolnames)
    if (withClause.recursive) ctes.set(name, recursiveColumns(context, query, given))
    const { text, columns } = printSelect(context, query, { items: [], merged: [], ctes, outer: scope })
    const names = columns.map((column, index) => given[index] ?? column)
    ctes.set(name, names)
    const list = names.map(identifier).join(", ")
    return `${mark(cte.location)}${identifier(name)}(${list}) AS ${MATERIALIZED[cte.ctematerialized ?? ""] ?? ""}(${text})`
  })
  return { text: `WITH ${withClause.recursive ? "RECURSIVE " : ""}${parts.join(", ")} `, ctes }
}

/** The columns of a query that names itself are those of its first part. */
const recursiveColumns = (context: Context, query: SelectStmt, given: readonly string[]): readonly string[] => {
  const first = query.op === "SETOP_UNION" ? query.larg : query
  const targets = first?.targetList ?? []
  if (first?.valuesLists)
    return (as(first.valuesLists[0], "List")?.items ?? []).map((_, i) => given[i] ?? `column${i + 1}`)
  const names = targets.map((node) => {
    const { name, val } = as(node, "ResTarget") ?? {}
    return name ?? (val ? outputName(val) : "")
  })
  if (given.length >= names.length) return given
  if (targets.some((node) => as(as(as(node, "ResTarget")?.val, "ColumnRef")?.fields?.at(-1), "A_Star"))) {
    throw errorAt(context.sql, locationOf(targets[0]), "WITH RECURSIVE: name the columns in place of *")
  }
  return names.map((name, index) => given[index] ?? name)
}

/**
 * A query as the engine is to run it.
 *
 * @param late of the outermost query: which columns are fetched later.
 */
export const printSelect = (context: Context, select: SelectStmt, outer: Scope | undefined, late?: Late): Select => {
  refuse(context, select)
  const { text, ctes } = withText(context, select, outer)
  const body = select.valuesLists
    ? values(context, select.valuesLists, { items: [], merged: [], ctes, outer }, select)
    : select.op && select.op !== "SETOP_NONE"
      ? combined(context, select, outer, ctes)
      : plain(context, select, outer, ctes, late)
  return { ...body, text: `${text}${body.text}` }
}
