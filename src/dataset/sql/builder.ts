/** Queries put together by calls: `client.table("t").select(...).where(...).execute()`. They make SQL and go its way. */
import type { SelectStmt } from "libpg-query"
import { describeValue } from "../../model/describe.ts"
import { ConfigError, messageOf, TableError } from "../../model/errors.ts"
import { identifier } from "../../readers/duckdb.ts"
import { checkCount } from "../open.ts"
import type { QueryOptions } from "./deadline.ts"
import { as, walk } from "./node.ts"
import type { Param } from "./params.ts"
import type { QueryRow } from "./query.ts"
import { parseStatement } from "./source.ts"

interface Condition {
  readonly text: string
  readonly params: readonly Param[]
}

/** What was asked for so far. */
export interface Parts {
  readonly table: string
  readonly columns: readonly string[]
  readonly conditions: readonly Condition[]
  readonly order: readonly string[]
  readonly limit?: number
  readonly offset?: number
}

type Clause = "targetList" | "whereClause" | "sortClause"

/** A piece of SQL has to be what it is given for, and nothing besides: no second clause, and no comment that hides one. */
const checkPiece = async (call: string, text: string, before: string, clause: Clause): Promise<SelectStmt> => {
  let select: SelectStmt | undefined
  try {
    select = as(await parseStatement(`SELECT ${before}${text}\n`), "SelectStmt")
  } catch (error) {
    throw new TableError(`${call}(${JSON.stringify(text)}): ${messageOf(error).replace(/^SQL( \d+:\d+)?: /, "")}`, {
      cause: error,
    })
  }
  const { op: _, limitOption, ...rest } = select ?? {}
  const [only, other] = Object.keys(rest)
  if (only === clause && other === undefined && limitOption === "LIMIT_OPTION_DEFAULT") return rest
  throw new TableError(`${call}(${JSON.stringify(text)}): expected only ${EXPECTED[clause]}`)
}

const EXPECTED = {
  targetList: "columns or expressions",
  whereClause: "a condition",
  sortClause: "columns or expressions to sort by",
} as const satisfies Readonly<Record<Clause, string>>

/** Placeholders count across all calls: those of a call begin where the ones before have ended. */
const checkPlaceholders = ({ text, params }: Condition, before: number, tree: unknown): void => {
  const used = new Set<number>()
  walk(tree, (kind, content) => {
    if (kind === "ParamRef") used.add((content as { readonly number?: number }).number ?? 0)
    return true
  })
  const own = params.map((_, index) => before + index + 1)
  const missing = own.find((number) => !used.has(number))
  const strange = [...used].find((number) => !own.includes(number))
  if (missing === undefined && strange === undefined) return
  const expected =
    own.length === 0 ? "no placeholder, as it has no values" : own.map((number) => `$${number}`).join(", ")
  const found = [...used].sort((a, b) => a - b).map((number) => `$${number}`)
  const counted = before > 0 ? `; the calls before have ${before} values, and placeholders count across all calls` : ""
  throw new TableError(
    `where(${JSON.stringify(text)}): expected ${expected}, found ${found.join(", ") || "none"}${counted}`,
  )
}

/** A name as it is; anything else is SQL. */
const targetText = async (column: string): Promise<string> => {
  if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(column)) return identifier(column)
  if (column.trim() === "*") return "*"
  await checkPiece("select", column, "", "targetList")
  return column
}

/** The query as SQL. */
export const sqlOf = async (parts: Parts): Promise<{ readonly sql: string; readonly params: readonly Param[] }> => {
  const { table, columns, conditions, order, limit, offset } = parts
  const targets = await Promise.all(columns.map(targetText))
  let sql = `SELECT ${targets.join(", ") || "*"} FROM ${identifier(table)}`
  const params: Param[] = []
  for (const [index, condition] of conditions.entries()) {
    const tree = await checkPiece("where", condition.text, "WHERE ", "whereClause")
    checkPlaceholders(condition, params.length, tree)
    params.push(...condition.params)
    sql += `${index === 0 ? " WHERE " : " AND "}(${condition.text}\n)`
  }
  for (const clause of order) await checkPiece("orderBy", clause, "ORDER BY ", "sortClause")
  if (order.length > 0) sql += ` ORDER BY ${order.map((clause) => `${clause}\n`).join(", ")}`
  if (limit !== undefined) sql += ` LIMIT ${limit}`
  if (offset !== undefined) sql += ` OFFSET ${offset}`
  return { sql, params }
}

/** Runs SQL and returns all its rows. */
export type Run = (sql: string, params: readonly Param[], options: QueryOptions) => Promise<QueryRow[]>

/** The rows of a query whose columns are named; of rows whose type is not known, nothing more is known. */
type Selected<Row, Name> = string extends keyof Row ? Row : { readonly [N in Name & keyof Row]: Row[N] }

/**
 * A query of one table. It never changes: each call returns another one, so that a query can be the beginning of
 * several.
 *
 * @example
 * ```ts
 * const client = new Client()
 * const long = client.table<{ id: string; text: string; start_time: number }>("videos").where("start_time > $1", 60)
 * const rows = await long.select("id", "text").orderBy("start_time ASC").limit(10).execute()
 * ```
 */
export class TableQuery<Row = QueryRow> {
  readonly #parts: Parts
  readonly #run: Run

  constructor(parts: Parts, run: Run) {
    if (typeof parts.table !== "string") {
      throw new ConfigError(`table: expected the name of a table, found ${describeValue(parts.table)}`)
    }
    this.#parts = parts
    this.#run = run
  }

  #with(parts: Partial<Parts>): TableQuery<Row> {
    return new TableQuery({ ...this.#parts, ...parts }, this.#run)
  }

  /**
   * Which columns, in this order; those of a later call take their place. What is no plain name is SQL:
   * `"count(*) AS n"`. Default: all but the hidden ones.
   */
  select<const Name extends keyof Row & string>(...columns: readonly Name[]): TableQuery<Selected<Row, Name>>
  select(...columns: readonly string[]): TableQuery
  select(...columns: readonly string[]): TableQuery<never> {
    return this.#with({ columns }) as TableQuery<never>
  }

  /**
   * Only rows that fulfil it, and those of the other calls. Values stand for `$1`, `$2`, ..., which count across all
   * calls: `.where("a = $1", 1).where("b > $2", 2)`.
   */
  where(condition: string, ...params: readonly Param[]): TableQuery<Row> {
    return this.#with({ conditions: [...this.#parts.conditions, { text: condition, params }] })
  }

  /** `"start_time DESC, id"`; keys of later calls decide where those before are equal. */
  orderBy(clause: string): TableQuery<Row> {
    return this.#with({ order: [...this.#parts.order, clause] })
  }

  /** At most so many rows. */
  limit(rows: number): TableQuery<Row> {
    checkCount("limit", rows, 0)
    return this.#with({ limit: rows })
  }

  /** Leaves out so many rows at the start. */
  offset(rows: number): TableQuery<Row> {
    checkCount("offset", rows, 0)
    return this.#with({ offset: rows })
  }

  /**
   * Runs the query.
   *
   * @throws {TableError} for a table or a column that is not there, a condition that is none, placeholders that do not
   * fit their values, and "Query timed out".
   */
  async execute(options: QueryOptions = {}): Promise<Row[]> {
    const { sql, params } = await sqlOf(this.#parts)
    return (await this.#run(sql, params, options)) as Row[]
  }
}

export const tableQuery = <Row>(table: string, run: Run): TableQuery<Row> =>
  new TableQuery<Row>({ table, columns: [], conditions: [], order: [] }, run)
