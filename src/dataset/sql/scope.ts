/** Which names mean what: the tables and columns that a part of a query sees. */
import type { ColumnRef, Node } from "libpg-query"
import { suggest } from "../../model/suggest.ts"
import type { ColumnType } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import { as, textOf } from "./node.ts"
import type { Scan } from "./scan.ts"
import { errorAt } from "./source.ts"

/** What makes a difference to how a column is used: bytes have functions of their own, and scores sort otherwise. */
export type Holds = "bytes" | "score"

/** One column of what stands in a FROM. */
export interface Slot {
  readonly name: string
  /** As the engine is to call it. */
  readonly sql: string
  /** Where it comes from, when it is a table's as it is stored. */
  readonly stored?: { readonly scan: Scan; readonly type: ColumnType /** The id of its row. */; readonly rowId: string }
  readonly holds?: Holds | undefined
}

/** The columns of a query. */
export interface Columns {
  readonly columns: readonly string[]
  readonly holds: readonly (Holds | undefined)[]
}

/** What stands in a FROM under one name. */
export interface FromItem {
  readonly alias: string
  /** All columns that can be named. */
  readonly slots: readonly Slot[]
  /** What `*` means. */
  readonly star: readonly Slot[]
}

export interface Scope {
  readonly items: readonly FromItem[]
  /** Columns that a join has made one of two (`USING`). */
  readonly merged: readonly Slot[]
  /** Queries that WITH has given a name. */
  readonly ctes: ReadonlyMap<string, Columns>
  readonly outer?: Scope | undefined
}

const find = <T>(all: readonly T[], name: string, nameOf: (one: T) => string): readonly T[] => {
  const exact = all.filter((one) => nameOf(one) === name)
  if (exact.length > 0) return exact
  const folded = name.toLowerCase()
  return all.filter((one) => nameOf(one).toLowerCase() === folded)
}

export const findItem = (scope: Scope | undefined, alias: string): FromItem | undefined => {
  for (let at = scope; at; at = at.outer) {
    const [found] = find(at.items, alias, (item) => item.alias)
    if (found) return found
  }
  return undefined
}

const slotNames = (slots: readonly Slot[]): string[] => slots.map(({ name }) => name)

/** The column is read. */
export const need = (slot: Slot): Slot => {
  slot.stored?.scan.needed.add(slot.name)
  return slot
}

/**
 * What a name stands for. Unquoted names are lower case in PostgreSQL; a column with capitals is found all the same
 * where there is only one of these letters.
 *
 * @throws {TableError} when there is no such column, or there are several.
 */
export const resolve = (sql: string, ref: ColumnRef, scope: Scope | undefined): Slot => {
  const fields: readonly Node[] = ref.fields ?? []
  const names = fields.map((field) => textOf(field) ?? "")
  const [first = "", second] = names
  if (fields.length > 2 || fields.some((field) => as(field, "A_Star"))) {
    throw errorAt(sql, ref.location, `expected a column, or table.column, found ${names.join(".")}`)
  }
  if (second !== undefined) {
    const item = findItem(scope, first)
    if (!item) throw errorAt(sql, ref.location, `there is no ${JSON.stringify(first)} in FROM${known(scope)}`)
    const slots = find(item.slots, second, ({ name }) => name)
    return only(sql, ref, slots, second, () => `${item.alias} has no column ${JSON.stringify(second)}`, item.star)
  }
  for (let at = scope; at; at = at.outer) {
    const merged = find(at.merged, first, ({ name }) => name)
    if (merged[0]) return merged[0]
    const slots = find(
      at.items.flatMap((item) => item.slots),
      first,
      ({ name }) => name,
    )
    if (slots.length > 0) return only(sql, ref, slots, first, () => "", [])
  }
  const there = scope?.items.flatMap((item) => item.star) ?? []
  throw errorAt(sql, ref.location, `there is no column ${JSON.stringify(first)}${suggest(first, slotNames(there))}`)
}

const known = (scope: Scope | undefined): string => {
  const names: string[] = []
  for (let at = scope; at; at = at.outer) names.push(...at.items.map(({ alias }) => alias))
  return names.length > 0 ? `, which has ${names.join(", ")}` : ""
}

const only = (
  sql: string,
  { location }: ColumnRef,
  slots: readonly Slot[],
  name: string,
  missing: () => string,
  there: readonly Slot[],
): Slot => {
  const [slot, other] = slots
  if (!slot) throw errorAt(sql, location, `${missing()}${suggest(name, slotNames(there))}`)
  if (!other) return slot
  throw errorAt(
    sql,
    location,
    `${JSON.stringify(name)} could be ${slots.map((one) => one.sql).join(" or ")}; say which one`,
  )
}

/** Slots of what has no table behind it. */
export const slotsOf = (alias: string, names: readonly string[], holds: Columns["holds"] = []): Slot[] =>
  names.map((name, index) => ({
    name,
    sql: `${identifier(alias)}.${identifier(name)}`,
    holds: holds[index],
  }))
