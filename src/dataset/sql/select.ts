/** A SELECT in the engine's SQL. */
import type { CommonTableExpr, Node, SelectStmt } from "libpg-query"
import { identifier } from "../../readers/duckdb.ts"
import { type Context, mark, type Printed } from "./context.ts"
import { type Print, printerFor, printSort } from "./expressions.ts"
import { type FromPart, printFrom } from "./from.ts"
import { printWindow } from "./function-calls.ts"
import { isRowWise } from "./limits.ts"
import { as, kindOf, locationOf, namesOf, textOf } from "./node.ts"
import { limitText, ordinal, sortKey, sortText } from "./order.ts"
import { outputName } from "./output-names.ts"
import { pushFilter } from "./push.ts"
import { pushSearch } from "./push-search.ts"
import { type Columns, findItem, need, resolve, type Scope, type Slot } from "./scope.ts"
import { hasScore } from "./scores.ts"
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
  /** All of WHERE is in the filters of the scans, and they read all rows that these leave. */
  readonly filtered: boolean
}

export interface Select extends Printed {
  readonly shape?: Shape
}

/** Which columns of the result are fetched by the ids of its rows, in place of being read for all rows looked at. */
export type Late = (slot: Slot) => boolean

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

/** Rows with the same score stand as they came into the table, as in any other search. */
const tieBreak = (
  { targetList = [], distinctClause, groupClause, havingClause }: SelectStmt,
  from: FromPart,
  key: Node | undefined,
  isScore: (node: Node | undefined) => boolean,
): string => {
  const [item, other] = from.items
  const [scan] = from.filterable
  const stored = item?.slots[0]?.stored
  if (!scan || !stored || other || distinctClause || groupClause || havingClause) return ""
  if (!isScore(key) || !isRowWise(targetList)) return ""
  scan.rowIds = true
  return `, ${stored.rowId}`
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
  const targets = targetsOf(context, select.targetList ?? [], from, scope)
  const names = targets.map(({ name }) => name)
  const key = sortKey(context, select.sortClause?.[0], names)
  const firstKey = typeof key === "number" ? targets[key - 1]?.node : key
  const unfiltered = pushFilter(context, whereClause, from, scope)
  const rest = pushSearch(context, select, firstKey, unfiltered, from, scope)
  const isScore = (node: Node | undefined): boolean => hasScore(context, node, scope)
  const holds = targets.map(({ slot, node }) => slot?.holds ?? (isScore(node) ? "score" : undefined))
  const pinned = new Set<number>()
  // What the store has looked at need not be looked at again, nor its columns be read.
  const where = rest.length > 0 ? ` WHERE ${rest.map(print).join(" AND ")}` : ""
  const sorted = sortText(context, select, print, {
    names,
    pin: (output) => pinned.add(output),
    isScore: (at) => (typeof at === "number" ? holds[at - 1] === "score" : isScore(at)),
  })
  const sort = (items: readonly Node[] | undefined): string => printSort(items, print, isScore)
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
    const at = ordinal(context, node, names)
    return at === undefined ? print(node) : one(targets[at - 1])
  })
  const distinct = distinctClause ? `DISTINCT ${keys.length > 0 ? `ON (${on.join(", ")}) ` : ""}` : ""
  const texts: string[] = []
  const isLate = ({ slot }: Target, index: number): boolean =>
    late !== undefined && slot?.stored !== undefined && !distinctClause && !pinned.has(index) && late(slot)
  // What has to be read for another reason is taken from there.
  targets.forEach((target, index) => {
    if (!isLate(target, index)) texts[index] = `${one(target)} AS ${identifier(target.name)}`
  })
  targets.forEach((target, index) => {
    if (texts[index] !== undefined) return
    const { slot } = target
    const scan = slot?.stored?.scan
    if (!slot || !scan || scan.needed.has(slot.name)) {
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
    sorted === "" ? "" : `${sorted}${tieBreak(select, from, firstKey, isScore)}`,
    limitText(context, select, print),
  ].join("")
  return {
    text,
    columns: names,
    holds,
    shape: {
      select,
      outputs: targets,
      from,
      filtered: unfiltered.length === 0 && from.filterable.every(({ found }) => !found),
    },
  }
}

const values = (context: Context, lists: readonly Node[], scope: Scope | undefined, select: SelectStmt): Select => {
  const print = printerFor(context, scope)
  const rows = lists.map((list) => `(${(as(list, "List")?.items ?? []).map(print).join(", ")})`)
  const columns = (as(lists[0], "List")?.items ?? []).map((_, index) => `column${index + 1}`)
  const sorted = sortText(context, select, print, { names: columns, isScore: () => false })
  const list = columns.map(identifier).join(", ")
  const text = `SELECT * FROM (VALUES ${rows.join(", ")}) AS "values"(${list})${sorted}${limitText(context, select, print)}`
  return { text, columns, holds: [] }
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
  const holds = left.columns.map((_, index) => left.holds[index] ?? right.holds[index])
  const isScore = (key: number | Node | undefined): boolean => typeof key === "number" && holds[key - 1] === "score"
  const sorted = sortText(context, select, print, { names: left.columns, isScore })
  const text = `(${left.text}) ${SET_OPERATIONS[op]}${all ? " ALL" : ""} (${right.text})`
  return { text: `${text}${sorted}${limitText(context, select, print)}`, columns: left.columns, holds }
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
  const ctes = new Map<string, Columns>(scope?.ctes)
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
    if (withClause.recursive) {
      ctes.set(name, { columns: recursiveColumns(context, query, given), holds: [] })
    }
    const { text, columns, holds } = printSelect(context, query, { items: [], merged: [], ctes, outer: scope })
    const names = columns.map((column, index) => given[index] ?? column)
    ctes.set(name, { columns: names, holds })
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
