/** One statement: what it is, and who runs it. */
import type { Node } from "libpg-query"
import { type Deadline, deadlineOf, type QueryOptions } from "./deadline.ts"
import { as, kindOf, locationOf } from "./node.ts"
import { checkParams, type Param } from "./params.ts"
import { openSelect, type QueryResult, type QueryRow } from "./query.ts"
import { errorAt, parseStatement } from "./source.ts"

async function* until({ clear }: Deadline, pages: QueryResult["pages"]): QueryResult["pages"] {
  try {
    yield* pages
  } finally {
    clear()
  }
}

const open = (uri: string, sql: string, node: Node, params: readonly Param[], signal: AbortSignal) => {
  const select = as(node, "SelectStmt")
  if (select) return openSelect(uri, sql, select, params, signal)
  const kind = kindOf(node).replace(/Stmt$/, "")
  throw errorAt(sql, locationOf(node) ?? 0, `${kind} is not supported; there is SELECT`)
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
    const { columns, pages } = await open(uri, sql, node, given, signal)
    return { columns, pages: until(deadline, pages) }
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
