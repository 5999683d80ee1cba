/** What is known of a query's size before it runs. */
import type { Node } from "libpg-query"
import type { Context } from "./context.ts"
import { as, constantOf, namesOf, walk } from "./node.ts"
import { errorAt } from "./source.ts"

/** So many rows are fetched by their ids, at most; it pays where they are few among those looked at. */
export const MAX_LATE = 10_000

/** A LIMIT or OFFSET that is known before the query runs. */
export const knownCount = (context: Context, node: Node | undefined, what: string): number | undefined => {
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
  "abs btrim ceil char_length coalesce concat date_part deeplake_hybrid_record floor json_extract left length lower ltrim octet_length replace right round rtrim sqrt substr substring trim upper".split(
    " ",
  ),
)

/** Whether each row of the result is made of one row of the table. */
export const isRowWise = (nodes: readonly Node[]): boolean => {
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
