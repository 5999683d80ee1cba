/** Opening a table to read it. What is opened stays at the version that it had then, whatever a writer does. */
import { existsSync } from "node:fs"
import type { Query } from "@lancedb/lancedb"
import { ConfigError, messageOf, TableError } from "../model/errors.ts"
import { isHidden } from "../model/rows.ts"
import { nearest, suggest } from "../model/suggest.ts"
import { formatType, type Schema } from "../model/types.ts"
import { fromSchema } from "../store/arrow.ts"
import { type Connection, connect, localPath, openTable, type Table } from "../store/database.ts"
import { checkoutAt } from "../store/versions.ts"
import { withoutNot } from "./sql/condition.ts"

/**
 * A connection to the database; undefined where there is none. Connecting alone would make the folder.
 *
 * @throws {ConfigError} when `uri` is no folder.
 */
export const connectExisting = async (uri: string): Promise<Connection | undefined> =>
  existsSync(localPath(uri)) ? connect(uri) : undefined

/** A version of a table by its number, or by the name of a tag. */
export type At = number | string

export interface OpenTable {
  readonly name: string
  readonly db: Connection
  readonly table: Table
  /** Hidden columns included. */
  readonly schema: Schema
  close(): void
}

/**
 * Opens a table at the version that it has now, or at another one.
 *
 * @throws {TableError} when there is no such table or version.
 */
export const openToRead = async (uri: string, name: string, at?: At): Promise<OpenTable> => {
  const db = await connectExisting(uri)
  if (!db) throw new TableError(`Table ${JSON.stringify(name)} does not exist: there is no folder ${uri}`)
  try {
    const table = await openTable(db, uri, name)
    if (at !== undefined) await checkoutAt(table, localPath(uri), name, at)
    return {
      name,
      db,
      table,
      schema: fromSchema(await table.schema()),
      close: () => {
        table.close()
        db.close()
      },
    }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the table at the given version, or else at the one that it has now. */
export const withTableAt = async <T>(
  uri: string,
  name: string,
  at: At | undefined,
  use: (open: OpenTable) => Promise<T>,
): Promise<T> => {
  const open = await openToRead(uri, name, at)
  try {
    return await use(open)
  } finally {
    open.close()
  }
}

export const withTable = <T>(uri: string, name: string, use: (open: OpenTable) => Promise<T>): Promise<T> =>
  withTableAt(uri, name, undefined, use)

const visibleOf = (schema: Schema): string[] => [...schema.keys()].filter((name) => !isHidden(name))

/** @throws {TableError} for a column that the table has not. */
export const checkColumns = ({ name, schema }: OpenTable, columns: readonly string[]): void => {
  for (const column of columns) {
    if (schema.has(column)) continue
    const visible = visibleOf(schema)
    const meant = nearest(column, visible)
    const there = [...schema]
      .filter(([other]) => visible.includes(other))
      .map(([other, type]) => `${other} ${formatType(type)}`)
      .join(", ")
    throw new TableError(
      `Table ${JSON.stringify(name)} has no column ${JSON.stringify(column)} that can be read; ${meant ? `did you mean ${JSON.stringify(meant)}? It` : "it"} has ${there}`,
    )
  }
}

/** What the store says of a condition; of a column that is not there it says all that it has, its own parts among them. */
const refusalOf = (schema: Schema, error: unknown): string => {
  const [, column] = /No field named "?([^\s".]+)"?\./.exec(messageOf(error)) ?? []
  return column === undefined
    ? messageOf(error)
    : `there is no column ${JSON.stringify(column)}${suggest(column, visibleOf(schema))}`
}

/**
 * A query for the rows that fulfil a condition in the store's SQL; without one, for all.
 *
 * @throws {ConfigError} when the store refuses the condition.
 */
export const queryWhere = async ({ table, schema }: OpenTable, where: string | undefined): Promise<Query> => {
  const query = table.query()
  if (where === undefined) return query
  const condition = await withoutNot(where, schema)
  try {
    await table.query().where(condition).outputSchema()
  } catch (error) {
    throw new ConfigError(`where: the condition ${JSON.stringify(where)} is refused: ${refusalOf(schema, error)}`, {
      cause: error,
    })
  }
  return query.where(condition)
}

/** @throws {ConfigError} for what is no whole number of at least `min`. */
export const checkCount = (option: string, value: number | undefined, min: number): void => {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return
  throw new ConfigError(`${option}: expected a whole number of at least ${min}, found ${value}`)
}
