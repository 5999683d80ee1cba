/** What a SELECT is to be answered by: the store alone, or the engine over what it needs of the tables. */
import type { Node, SelectStmt } from "libpg-query"
import { layoutOf } from "../../model/types.ts"
import { type Context, checkAllUsed, newContext } from "./context.ts"
import { canBeLate } from "./load.ts"
import { as, constantOf, namesOf, walk } from "./node.ts"
import type { Param } from "./params.ts"
import type { Scan } from "./scope.ts"
import { type Output, printSelect, type Shape } from "./select.ts"
import { errorAt } from "./source.ts"

/** Rows of one table as they are stored. */
export interface Direct {
  readonly scan: Scan
  /** Stored names, in the order of the result. */
  readonly columns: readonly string[]
  readonly limit?: number
  readonly offset?: number
}

export interface Plan {
  /** Names of the result's columns; each is there once. */
  readonly columns: readonly string[]
  readonly outputs: readonly Output[]
  /** For the engine. */
  readonly text: string
  readonly context: Context
  readonly direct?: Direct
  /** How many rows there are is all that is asked. */
  readonly count?: Scan
}

/** So many rows are fetched by their ids, at most; it pays where they are few among those looked at. */
const MAX_LATE = 10_000

/** A LIMIT or OFFSET that is known before the query runs. */
const known = (context: Context, node: Node | undefined, what: string): number | undefined => {
  const fixed = as(node, "A_Const")
  const given = as(node, "ParamRef")
  const value = fixed ? constantOf(fixed) : given && context.valueOf(given.number ?? 0, given.location)
  if (value === null || value === undefined) return undefined
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value
  if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) return number
  throw errorAt(
    context.sql,
    fixed?.location ?? given?.location,
    `${what}: expected a whole number of at least 0, found ${String(value)}`,
  )
}

/** Functions that make one value of one row, so that rows that are not in the result need not be read for them. */
const SCALAR = new Set(
  "abs btrim ceil char_length coalesce concat date_part floor json_extract left length lower ltrim octet_length replace right round rtrim sqrt substr substring trim upper".split(
    " ",
  ),
)

const isRowWise = (nodes: readonly Node[]): boolean => {
  let rowWise = true
  walk(nodes, (kind, content) => {
    if (kind === "SubLink") rowWise = false
    if (kind === "FuncCall" && !SCALAR.has(namesOf((content as { funcname?: Node[] }).funcname).at(-1) ?? "")) {
      rowWise = false
    }
    return rowWise
  })
  return rowWise
}

/** The scan of a query over one table that neither sorts nor puts rows together. */
const onlyScan = ({ select, from, filtered }: Shape): Scan | undefined => {
  const { distinctClause, groupClause, havingClause, sortClause, windowClause } = select
  if (distinctClause || groupClause || havingClause || sortClause || windowClause || !filtered) return undefined
  const [item, other] = from.items
  return item && !other && from.filterable.length === 1 ? from.filterable[0] : undefined
}

const isCount = ({ targetList = [] }: SelectStmt): boolean => {
  const call = targetList.length === 1 ? as(as(targetList[0], "ResTarget")?.val, "FuncCall") : undefined
  return call?.agg_star === true && !call.over && !call.agg_filter && namesOf(call.funcname).at(-1) === "count"
}

const unique = (names: readonly string[]): string[] => {
  const taken = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let i = 1; taken.has(free); i++) free = `${name}_${i}`
    taken.add(free)
    return free
  })
}

/** @throws {TableError} for what the query names and is not there, and what is not supported. */
export const planSelect = (
  sql: string,
  select: SelectStmt,
  params: readonly Param[],
  places: Pick<Context, "names" | "tables">,
): Plan => {
  const context = newContext(sql, places, params, printSelect)
  const limit = known(context, select.limitCount, "LIMIT")
  const offset = known(context, select.limitOffset, "OFFSET")
  const few = limit !== undefined && limit <= MAX_LATE
  const { text, columns, shape } = printSelect(context, select, undefined, {
    // Bytes are never copied into the engine unless it has to look at them; what else is large, not for few rows.
    wants: ({ stored }) => {
      const layout = stored && layoutOf(stored.type)
      return (
        layout === "bytes" ||
        (few && (layout === "utf8" || layout === "vector" || layout === "floats" || layout === "vectors"))
      )
    },
    allows: canBeLate,
  })
  if (columns.length === 0) throw errorAt(sql, undefined, "expected columns after SELECT, found none")
  checkAllUsed(context, params)
  const names = unique(columns)
  const outputs: readonly Output[] = shape?.outputs ?? names.map((name) => ({ name }))
  const plan: Plan = { columns: names, outputs, text, context }
  const scan = shape && onlyScan(shape)
  if (!scan || select.withClause) return plan
  if (isCount(select) && limit === undefined && offset === undefined) return { ...plan, count: scan }
  if (outputs.every(({ slot }) => slot?.stored?.scan === scan)) {
    const stored = outputs.map(({ slot, name }) => slot?.name ?? name)
    const window = { ...(limit !== undefined && { limit }), ...(offset !== undefined && { offset }) }
    return { ...plan, direct: { scan, columns: stored, ...window } }
  }
  if (limit !== undefined && isRowWise(select.targetList ?? [])) scan.limit = limit + (offset ?? 0)
  return plan
}
