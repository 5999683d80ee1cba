/** What a SELECT is to be answered by: the store alone, or the engine over what it needs of the tables. */
import type { SelectStmt } from "libpg-query"
import { layoutOf } from "../../model/types.ts"
import { type Context, checkAllUsed, newContext } from "./context.ts"
import { isRowWise, knownCount, MAX_LATE } from "./limits.ts"
import { as, namesOf } from "./node.ts"
import type { Param } from "./params.ts"
import type { Scan } from "./scan.ts"
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
  const limit = knownCount(context, select.limitCount, "LIMIT")
  const offset = knownCount(context, select.limitOffset, "OFFSET")
  const few = limit !== undefined && limit <= MAX_LATE
  // Bytes are never copied into the engine unless it has to look at them; what else is large, not for few rows.
  const { text, columns, shape } = printSelect(context, select, undefined, ({ stored }) => {
    const layout = stored && layoutOf(stored.type)
    return (
      layout === "bytes" ||
      (few && (layout === "utf8" || layout === "vector" || layout === "floats" || layout === "vectors"))
    )
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
