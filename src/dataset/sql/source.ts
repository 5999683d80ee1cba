/** The text of a query: parsing it, and saying where in it something is wrong. */
import type { Node, RawStmt } from "libpg-query"
import { messageOf, TableError } from "../../model/errors.ts"

/** Longer texts are refused: values belong into parameters. */
const MAX_LENGTH = 1 << 20

/** Where the parser found a node: UTF-8 bytes from the start; below 0 or absent, it does not know. */
export type Location = number | undefined

const lineAndColumn = (before: string): string => {
  const line = before.split("\n")
  return `${line.length}:${[...(line.at(-1) ?? "")].length + 1}`
}

/** Node prints a cause that is undefined, too. */
const because = (cause: unknown): ErrorOptions | undefined => (cause === undefined ? undefined : { cause })

/** `SQL 1:15: message`; lines and columns count from 1, columns in characters. */
const located = (before: string, message: string, cause?: unknown): TableError =>
  new TableError(`SQL ${lineAndColumn(before)}: ${message}`, because(cause))

export const errorAt = (sql: string, location: Location, message: string, cause?: unknown): TableError =>
  location === undefined || location < 0
    ? new TableError(`SQL: ${message}`, because(cause))
    : located(Buffer.from(sql).subarray(0, location).toString(), message, cause)

interface ParserError extends Error {
  readonly sqlDetails?: { readonly cursorPosition: number }
}

/**
 * The statements of a text.
 *
 * @throws {TableError} with line and column for what is no PostgreSQL.
 */
const parseStatements = async (sql: string): Promise<readonly RawStmt[]> => {
  if (typeof sql !== "string") throw new TableError(`Expected a query as text, found ${typeof sql}`)
  if (sql.length > MAX_LENGTH) {
    throw new TableError(
      `SQL: a query of ${sql.length} characters is too long (at most ${MAX_LENGTH}); give values as parameters`,
    )
  }
  const nul = sql.indexOf("\0")
  if (nul >= 0) throw located(sql.slice(0, nul), "a NUL character cannot stand in a query")
  // The parser refuses a text without anything in it as if it were a fault of the caller's program.
  if (sql.trim() === "") return []
  const { parse } = await import("libpg-query")
  try {
    return (await parse(sql)).stmts ?? []
  } catch (error) {
    const details = (error as ParserError).sqlDetails
    if (error instanceof RangeError) throw new TableError("SQL: the query is nested too deeply", { cause: error })
    if (!details) throw new TableError(`SQL: the query cannot be parsed: ${messageOf(error)}`, { cause: error })
    // Unlike places in the tree, this one counts characters.
    throw located([...sql].slice(0, details.cursorPosition).join(""), messageOf(error), error)
  }
}

/** @throws {TableError} unless there is exactly one statement. */
export const parseStatement = async (sql: string): Promise<Node> => {
  const [first, second] = await parseStatements(sql)
  if (!first?.stmt) throw new TableError("SQL: expected a statement, found nothing")
  if (second) {
    // The parser says where the blanks before the statement begin.
    const start = Buffer.from(sql).subarray(second.stmt_location ?? 0)
    const blanks = start.toString().search(/\S/)
    throw errorAt(
      sql,
      (second.stmt_location ?? 0) + Math.max(0, blanks),
      "expected one statement a call, found another one",
    )
  }
  return first.stmt
}
