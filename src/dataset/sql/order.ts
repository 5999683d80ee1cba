/** ORDER BY, LIMIT and OFFSET in the engine's SQL. */
import type { Node, SelectStmt } from "libpg-query"
import type { Context } from "./context.ts"
import { type Print, printSort } from "./expressions.ts"
import { as, constantOf, locationOf, textOf } from "./node.ts"
import { errorAt } from "./source.ts"

/** The number of the output that an item of ORDER BY or GROUP BY names; undefined when it is an expression. */
export const ordinal = (context: Context, node: Node | undefined, names: readonly string[]): number | undefined => {
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

/** The number of the output that a key of ORDER BY is; for an expression of its own, the expression. */
export const sortKey = (
  context: Context,
  item: Node | undefined,
  names: readonly string[],
): number | Node | undefined => {
  const { node } = as(item, "SortBy") ?? {}
  return ordinal(context, node, names) ?? node
}

/** What has to be known of keys that are columns of the result, and of others. */
export interface Keys {
  readonly names: readonly string[]
  /** Is told which outputs are keys. */
  readonly pin?: (output: number) => void
  readonly isScore: (key: number | Node | undefined) => boolean
}

/** ORDER BY, in which names of the result come first. */
export const sortText = (context: Context, select: SelectStmt, print: Print, { names, pin, isScore }: Keys): string => {
  const keys = (select.sortClause ?? []).map((item) => {
    const key = sortKey(context, item, names)
    if (typeof key !== "number") return printSort([item], print, isScore)
    pin?.(key - 1)
    return printSort(
      [item],
      () => String(key),
      () => isScore(key),
    )
  })
  return keys.length > 0 ? ` ORDER BY ${keys.join(", ")}` : ""
}

export const limitText = (context: Context, select: SelectStmt, print: Print): string => {
  const { limitCount, limitOffset, limitOption } = select
  if (limitOption === "LIMIT_OPTION_WITH_TIES") {
    throw errorAt(context.sql, locationOf(limitCount), "WITH TIES is not supported")
  }
  const limit = limitCount && !as(limitCount, "A_Const")?.isnull ? ` LIMIT ${print(limitCount)}` : ""
  return `${limit}${limitOffset ? ` OFFSET ${print(limitOffset)}` : ""}`
}
