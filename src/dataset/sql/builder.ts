/** Queries put together by calls: `client.table("t").select(...).where(...).execute()`. They make SQL and go its way. */
import type { SelectStmt } from "libpg-query"
import { describeValue } from "../../model/describe.ts"
import { ConfigError, messageOf, TableError } from "../../model/errors.ts"
import { identifier } from "../../readers/duckdb.ts"
import { checkCount } from "../open.ts"
import {
  columnsNamed,
  SCORE,
  type SearchText,
  searchText,
  type TableSearch,
  type TableSearchOptions,
  withScore,
} from "./builder-search.ts"
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
  readonly search?: TableSearch
}

/** Rows of a search that does not say how many. */
const DEFAULT_LIMIT = 10

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

interface Target {
  readonly sql: string
  /** Of what is no plain name. */
  readonly tree?: SelectStmt
}

/** A name as it is; anything else is SQL. */
const targetOf = async (column: string): Promise<Target> => {
  if (/^[\p{L}_][\p{L}\p{N}_]*$/u.test(column)) {
    const sql = identifier(column)
    return { sql, tree: await checkPiece("select", sql, "", "targetList") }
  }
  return column.trim() === "*"
    ? { sql: "*" }
    : { sql: column, tree: await checkPiece("select", column, "", "targetList") }
}

const conditionsOf = async (
  { conditions, ...parts }: Parts,
  search: SearchText | undefined,
): Promise<{ readonly texts: readonly string[]; readonly params: readonly Param[] }> => {
  const params: Param[] = []
  const texts: string[] = []
  const filter = parts.search?.options.filter
  for (const condition of filter === undefined ? conditions : [...conditions, { text: filter, params: [] }]) {
    const tree = await checkPiece("where", condition.text, "WHERE ", "whereClause")
    checkPlaceholders(condition, params.length, tree)
    params.push(...condition.params)
    const text = search ? withScore(condition.text, tree, "SELECT WHERE ".length, search.score) : condition.text
    texts.push(`(${text}\n)`)
  }
  return { texts, params }
}

const page = (limit: number | undefined, offset: number | undefined): string =>
  `${limit === undefined ? "" : ` LIMIT ${limit}`}${offset === undefined ? "" : ` OFFSET ${offset}`}`

/** The query as SQL. */
export const sqlOf = async (parts: Parts): Promise<{ readonly sql: string; readonly params: readonly Param[] }> => {
  const { columns, order, limit, offset, conditions } = parts
  const values = conditions.reduce((sum, { params }) => sum + params.length, 0)
  const search = parts.search && searchText(parts.search, values)
  const targets = await Promise.all(columns.map(targetOf))
  const { texts, params } = await conditionsOf(parts, search)
  const sorts = await Promise.all(order.map((clause) => checkPiece("orderBy", clause, "ORDER BY ", "sortClause")))
  const sorted = order.length > 0 ? ` ORDER BY ${order.map((clause) => `${clause}\n`).join(", ")}` : ""
  const table = identifier(parts.table)
  const filter = (all: readonly string[]): string => (all.length > 0 ? ` WHERE ${all.join(" AND ")}` : "")
  if (!search) {
    const list = targets.map(({ sql }) => sql).join(", ") || "*"
    return { sql: `SELECT ${list} FROM ${table}${filter(texts)}${sorted}${page(limit, offset)}`, params }
  }
  const all = [...params, ...search.params]
  const where = filter([...texts, search.condition])
  const best = parts.search?.options.limit ?? (limit ?? DEFAULT_LIMIT) + (offset ?? 0)
  const score = `${search.score} AS ${SCORE}`
  const everything = targets.length === 0 || targets.some(({ sql }) => sql === "*")
  if (order.length === 0) {
    const list = targets.map(({ sql, tree }) => {
      const text = tree ? withScore(sql, tree, "SELECT ".length, search.score) : sql
      return text === search.score ? score : text
    })
    const shown = [...(list.length > 0 ? list : ["*"]), ...(list.includes(score) ? [] : [score])].join(", ")
    const rows = Math.min(limit ?? best, Math.max(0, best - (offset ?? 0)))
    return {
      sql: `SELECT ${shown} FROM ${table}${where} ORDER BY ${search.score} DESC${page(rows, offset)}`,
      params: all,
    }
  }
  // The best rows first, and those in another order.
  const named = columnsNamed([targets.map(({ tree }) => tree), sorts], everything)
  const inner = `SELECT ${[...named, score].join(", ")} FROM ${table}${where} ORDER BY ${SCORE} DESC LIMIT ${best}`
  const list = targets.map(({ sql }) => sql)
  const shown = everything || list.includes(identifier(SCORE)) ? list : [...list, SCORE]
  const outer = `SELECT ${shown.join(", ") || "*"} FROM (${inner}) AS ${table}${sorted}${page(limit, offset)}`
  return { sql: outer, params: all }
}

/** Runs SQL and returns all its rows. */
export type Run = (sql: string, params: readonly Param[], options: QueryOptions) => Promise<QueryRow[]>

/**
 * The rows of a query whose columns are named, with the score where there is a search; of rows whose type is not known,
 * nothing more is known.
 */
type Selected<Row, Name> = string extends keyof Row
  ? Row
  : { readonly [N in (Name | typeof SCORE) & keyof Row]: Row[N] }

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

  /**
   * Only the rows that fit words (BM25, in a TEXT column), a vector (cosine similarity, in an EMBEDDING column), several
   * vectors (MaxSim, in a MULTI_EMBEDDING column) or, with `hybrid`, a vector and words: the best ones of those that
   * fulfil all conditions. Each has its `_score`, which can be used in the other calls, too; without `orderBy` the best
   * comes first. A later call takes the place of an earlier one.
   *
   * @throws {ConfigError} when `query` is nothing that can be searched for.
   * @example
   * ```ts
   * const client = new Client()
   * const rows = await client.table("docs").search("text", "neural networks").where("page_index < 3").limit(5).execute()
   * ```
   */
  search(
    column: string,
    query: TableSearch["query"],
    options: TableSearchOptions = {},
  ): TableQuery<Row & { readonly _score: number }> {
    checkCount("limit", options.limit, 1)
    const search = { column, query, options }
    searchText(search, 0)
    return this.#with({ search }) as TableQuery<unknown> as TableQuery<Row & { readonly _score: number }>
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
