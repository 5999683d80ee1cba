/** The tables that a query names, opened for as long as it runs. */

import { fromSchema } from "../../store/arrow.ts"
import { isInternal, localPath, openTable, tableNames } from "../../store/database.ts"
import { connectExisting, type OpenTable } from "../open.ts"
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

/** Those of the tables that are there, each at the version that it has now. */
export const openTables = async (uri: string, wanted: ReadonlySet<string>): Promise<OpenTables> => {
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
    for (const name of names.filter((one) => wanted.has(one))) {
      const table = await openTable(db, uri, name)
      tables.set(name, { name, db, table, schema: fromSchema(await table.schema()), close: () => table.close() })
    }
    return { names: names.filter((name) => !isInternal(name)), tables, close }
  } catch (error) {
    close()
    throw error
  }
}
