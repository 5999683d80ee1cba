/** One statement: what it is, and who runs it. */

import { ConfigError } from "../../model/errors.ts"
import type { At } from "../open.ts"
import type { Statement } from "./changed-rows.ts"
import { deadlineOf, type QueryOptions } from "./deadline.ts"
import { as, kindOf } from "./node.ts"
import { checkParams } from "./params.ts"
import { closing, openSelect, type QueryResult, type QueryRow } from "./query.ts"
import { errorAt, parseStatement } from "./source.ts"

/** What does it, where SQL does not. */
const INSTEAD: Readonly<Record<string, string>> = {
  CreateStmt: "; a table is made by ingest, at its first rows",
  CreateTableAsStmt: "; a table is made by ingest, at its first rows",
  DropStmt: "; dropTable drops a table",
  AlterTableStmt: "; ingest adds columns, and types stay",
}

const open = async (statement: Statement, at: At | undefined): Promise<QueryResult> => {
  const { uri, sql, node, params, signal } = statement
  const select = as(node, "SelectStmt")
  if (select) return openSelect(uri, sql, select, params, signal, at)
  if (at !== undefined) throw new ConfigError("at: only a SELECT reads another version than that of now")
  const inserted = as(node, "InsertStmt")
  if (inserted) return (await import("./insert.ts")).insert(statement, inserted)
  const updated = as(node, "UpdateStmt")
  if (updated) return (await import("./update.ts")).update(statement, updated)
  const deleted = as(node, "DeleteStmt")
  if (deleted) return (await import("./delete.ts")).remove(statement, deleted)
  const index = as(node, "IndexStmt")
  if (index) return (await import("./index-statement.ts")).indexStatement(statement, index)
  const kind = kindOf(node).replace(/Stmt$/, "")
  throw errorAt(
    sql,
    0,
    `${kind} is not supported; there are SELECT, INSERT, UPDATE, DELETE and CREATE INDEX${INSTEAD[kindOf(node)] ?? ""}`,
  )
}

/**
 * Begins a statement. The pages have to be read, or returned, for what it holds open to be given back.
 *
 * @throws {TableError} for what cannot be run, with line and column.
 */
export const runStatement = async (
  uri: string,
  sql: string,
  params: unknown,
  options: QueryOptions,
): Promise<QueryResult> => {
  const deadline = deadlineOf(options)
  const { signal } = deadline
  try {
    signal.throwIfAborted()
    const given = checkParams(params)
    const node = await parseStatement(sql)
    const result = await open({ uri, sql, node, params: given, signal }, options.at)
    return { ...result, pages: closing(result.pages, deadline.clear) }
  } catch (error) {
    deadline.clear()
    throw error
  }
}

/** All rows of a result. */
export const collectRows = async ({ pages }: QueryResult): Promise<QueryRow[]> => {
  const all: QueryRow[] = []
  for await (const page of pages) for (const row of page) all.push(row)
  return all
}
