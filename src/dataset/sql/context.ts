/** What the printing of a query gathers. */
import type { SelectStmt } from "libpg-query"
import { TableError } from "../../model/errors.ts"
import type { OpenTable } from "../open.ts"
import type { Param } from "./params.ts"
import type { Scan } from "./scan.ts"
import type { Columns, Scope } from "./scope.ts"
import { errorAt, type Location } from "./source.ts"

/** A part of a query in the engine's SQL. */
export interface Printed extends Columns {
  readonly text: string
}

export interface Context {
  readonly sql: string
  /** Names of all tables, for those that are not there. */
  readonly names: readonly string[]
  /** The tables that the query names. */
  readonly tables: ReadonlyMap<string, OpenTable>
  readonly scans: Scan[]
  /** The parameters that the engine gets, by their numbers in the query. */
  readonly bound: number[]
  /** Numbers of the parameters that are used, here or in the store's filters. */
  readonly used: Set<number>
  /** `$n` for the engine. */
  param(number: number, location: Location): string
  /** The value of `$n`. */
  valueOf(number: number, location: Location): Param
  /** A query inside of an expression. */
  subquery(select: SelectStmt, scope: Scope | undefined): Printed
}

/** @throws {TableError} for a number without a value. */
export const newContext = (
  sql: string,
  { names, tables }: Pick<Context, "names" | "tables">,
  params: readonly Param[],
  subquery: (context: Context, select: SelectStmt, scope: Scope | undefined) => Printed,
): Context => {
  const context: Context = {
    sql,
    names,
    tables,
    scans: [],
    bound: [],
    used: new Set(),
    valueOf: (number, location) => {
      if (number < 1 || number > params.length) {
        throw errorAt(sql, location, `$${number} has no value: ${params.length} parameters were given`)
      }
      context.used.add(number)
      return params[number - 1]
    },
    param: (number, location) => {
      context.valueOf(number, location)
      return `${mark(location)}$${context.bound.push(number)}`
    },
    subquery: (select, scope) => subquery(context, select, scope),
  }
  return context
}

/** @throws {TableError} for a value that nothing uses: it was meant for something. */
export const checkAllUsed = ({ used }: Context, params: readonly Param[]): void => {
  const unused = params.findIndex((_, index) => !used.has(index + 1))
  if (unused >= 0) {
    throw new TableError(`${params.length} parameters were given, but the query does not use $${unused + 1}`)
  }
}

/** Notes for the engine's errors where in the query of the caller something stands. */
export const mark = (location: Location): string => (location === undefined || location < 0 ? "" : `/*${location}*/`)

/** The caller's place of the engine's `position`. */
export const markBefore = (text: string, position: number): Location => {
  const before = Buffer.from(text).subarray(0, position).toString()
  const found = [...before.matchAll(/\/\*(\d+)\*\//g)].at(-1)?.[1]
  return found === undefined ? undefined : Number(found)
}
