/** The tables that a query names, opened for as long as it runs. */

import { ConfigError } from "../../model/errors.ts"
import { fromSchema } from "../../store/arrow.ts"
import { isInternal, localPath, openTable, tableNames } from "../../store/database.ts"
import { checkoutAt } from "../../store/versions.ts"
import { type At, connectExisting, type OpenTable } from "../open.ts"
import type { Context } from "./context.ts"
import { walk } from "./node.ts"

/** Names in FROM, those of WITH among them; and the table that a statement changes. */
export const namedTables = (tree: unknown, changed?: string): ReadonlySet<string> => {
  const names = new Set<string>(changed === undefined ? [] : [changed])
  walk(tree, (kind, content) => {
    if (kind === "RangeVar") names.add((content as { readonly relname?: string }).relname ?? "")
    return true
  })
  return names
}

export interface OpenTables extends Pick<Context, "names" | "tables"> {
  close(): void
}

/** A version's number is that of one table; a tag can be one of several. */
const checkOne = (at: At, names: readonly string[]): void => {
  if (names.length < 2 || (typeof at === "string" && !/^\d+$/.test(at))) return
  throw new ConfigError(
    `at: version ${at} is of one table, and the query reads ${names.join(", ")}; give each of them a tag of the same name`,
  )
}

/**
 * Those of the tables that are there, each at the version that it has now, or at another one.
 *
 * @throws {TableError} for a version or a tag that a table has not.
 * @throws {ConfigError} for the number of a version where there are several tables.
 */
export const openTables = async (uri: string, wanted: ReadonlySet<string>, at?: At): Promise<OpenTables> => {
  const db = wanted.size > 0 ? await connectExisting(uri) : undefined
  const tables = new Map<string, OpenTable>()
  const close = (): void => {
    for (const { table } of tables.values()) table.close()
    db?.close()
  }
  if (!db) {
    localPath(uri)
    return { names: [], tables, close }
  }
  try {
    const names = await tableNames(db, true)
    const there = names.filter((one) => wanted.has(one))
    if (at !== undefined) checkOne(at, there)
    for (const name of there) {
      const table = await openTable(db, uri, name)
      if (at !== undefined) await checkoutAt(table, localPath(uri), name, at)
      tables.set(name, { name, db, table, schema: fromSchema(await table.schema()), close: () => table.close() })
    }
    return { names: names.filter((name) => !isInternal(name)), tables, close }
  } catch (error) {
    close()
    throw error
  }
}
