/** Searches that leave out rows before anything else of them is read. */
import type { Node, SelectStmt } from "libpg-query"
import type { Context } from "./context.ts"
import type { FromPart } from "./from.ts"
import { knownValue } from "./known-value.ts"
import { isRowWise, knownCount, MAX_LATE } from "./limits.ts"
import { as, namesOf } from "./node.ts"
import type { Score } from "./scan.ts"
import type { Scope } from "./scope.ts"
import { type Found, scoreAt } from "./scores.ts"

interface Comparison {
  readonly found: Found
  readonly strict: boolean
  readonly limit: number
}

/** `score > 0.5`, or the same with the sides changed. */
const lowerBound = (context: Context, node: Node, scope: Scope): Comparison | undefined => {
  const expression = as(node, "A_Expr")
  const operator = namesOf(expression?.name).at(-1) ?? ""
  if (expression?.kind !== "AEXPR_OP" || !/^[<>]=?$/.test(operator)) return undefined
  const { lexpr, rexpr } = expression
  const [above, below] = operator.startsWith(">") ? [lexpr, rexpr] : [rexpr, lexpr]
  const found = scoreAt(context, above, scope)
  const limit = found && knownValue(context, below)
  return found && typeof limit === "number" ? { found, limit, strict: operator.length === 1 } : undefined
}

/** Conditions that hold for the best rows, if for any. */
const keepsBest = (context: Context, node: Node, scope: Scope, score: Score): boolean => {
  const test = as(node, "NullTest")
  if (test) return test.nulltesttype === "IS_NOT_NULL" && scoreAt(context, test.arg, scope)?.score === score
  return lowerBound(context, node, scope)?.found.score === score
}

/** `ORDER BY score DESC, ... LIMIT n` over one table. */
const pushBest = (
  context: Context,
  select: SelectStmt,
  key: Node | undefined,
  rest: readonly Node[],
  from: FromPart,
  scope: Scope,
): boolean => {
  const { sortClause = [], targetList = [], distinctClause, groupClause, havingClause, windowClause } = select
  const { sortby_dir, sortby_nulls } = as(sortClause[0], "SortBy") ?? {}
  if (sortby_dir !== "SORTBY_DESC" || sortby_nulls === "SORTBY_NULLS_FIRST") return false
  if (from.items.length !== 1 || distinctClause || groupClause || havingClause || windowClause) return false
  const found = scoreAt(context, key, scope)
  if (!found || found.score.search.kind === "contains" || !from.filterable.includes(found.scan)) return false
  if (!isRowWise([...targetList, ...sortClause]) || !rest.every((term) => keepsBest(context, term, scope, found.score)))
    return false
  const limit = knownCount(context, select.limitCount, "LIMIT")
  const rows = (limit ?? Number.POSITIVE_INFINITY) + (knownCount(context, select.limitOffset, "OFFSET") ?? 0)
  if (rows < 1 || rows > MAX_LATE) return false
  found.scan.found = { score: found.score, limit: rows, ties: sortClause.length > 1 }
  return true
}

/** The rows that a condition means are those that a search finds. */
const foundBy = (context: Context, term: Node, scope: Scope): Found | undefined => {
  const found = scoreAt(context, term, scope)
  if (found?.score.search.kind === "contains") return found
  const bound = lowerBound(context, term, scope)
  const isAny = bound?.found.score.search.kind === "text" && bound.strict && bound.limit === 0
  return isAny ? bound.found : undefined
}

/**
 * Has scans read only such rows as a search finds, where the query means no others.
 *
 * @param key the first key of ORDER BY.
 * @param rest conditions that the store does not look at.
 * @returns those of them that are left.
 */
export const pushSearch = (
  context: Context,
  select: SelectStmt,
  key: Node | undefined,
  rest: readonly Node[],
  from: FromPart,
  scope: Scope,
): readonly Node[] => {
  if (pushBest(context, select, key, rest, from, scope)) return rest
  return rest.filter((term) => {
    const found = foundBy(context, term, scope)
    if (!found || found.scan.found || !from.filterable.includes(found.scan)) return true
    found.scan.found = { score: found.score }
    return false
  })
}
