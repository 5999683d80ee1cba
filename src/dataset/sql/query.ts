/** Runs a SELECT. */
import type { SelectStmt } from "libpg-query"
import { valueAt } from "../../model/column.ts"
import { messageOf, TableError } from "../../model/errors.ts"
import { layoutOf } from "../../model/types.ts"
import { batchesOf } from "../../store/scan.ts"
import type { At } from "../open.ts"
import { plainValue } from "../scan.ts"
import { withAbort } from "./abort.ts"
import { markBefore } from "./context.ts"
import { type Engine, withEngine } from "./engine.ts"
import { fetchLate } from "./late.ts"
import { loadAll } from "./load.ts"
import { boundOf, type Param } from "./params.ts"
import { type Direct, type Plan, planSelect } from "./plan.ts"
import { type Cells, type Page, type QueryValue, readResult, runQuery } from "./result.ts"
import { queryOf } from "./scan.ts"
import { errorAt } from "./source.ts"
import { namedTables, openTables } from "./tables.ts"

/** A row of a result. */
export type QueryRow = Readonly<Record<string, QueryValue>>

/** What a query has found. */
export interface QueryResult {
  /** Of a statement that changes rows: how many, and what was done to them. */
  readonly changed?: { readonly rows: number; readonly how: "inserted" | "updated" | "deleted" }
  /** Names of the columns, in their order. */
  readonly columns: readonly string[]
  /** The rows, some at a time; to be read once. */
  readonly pages: AsyncGenerator<readonly QueryRow[]>
}

/** What a statement without a result gives. */
export const noRows = (changed?: QueryResult["changed"]): QueryResult => ({
  ...(changed && { changed }),
  columns: [],
  pages: (async function* () {})(),
})

/** Calls `close` once: at the end, or when the pages are returned, also before the first one was asked for. */
export const closing = <T>(pages: AsyncGenerator<T>, close: () => void): AsyncGenerator<T> => {
  let open = true
  const end = (): void => {
    if (open) close()
    open = false
  }
  const step = async (result: Promise<IteratorResult<T, unknown>>): Promise<IteratorResult<T, unknown>> => {
    try {
      const next = await result
      if (next.done) end()
      return next
    } catch (error) {
      end()
      throw error
    }
  }
  const closed: AsyncGenerator<T> = {
    next: () => step(pages.next()),
    return: (value) => step(pages.return(value)),
    throw: (error) => step(pages.throw(error)),
    [Symbol.asyncIterator]: () => closed,
    [Symbol.asyncDispose]: async () => void (await closed.return(undefined)),
  }
  return closed
}

/** Rows with fetched bytes that are handed on at a time. */
const HEAVY_ROWS = 16

const rowsOfPage = (columns: readonly string[], { rows, cells }: Page): QueryRow[] =>
  Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(columns.map((name, index): [string, QueryValue] => [name, cells[index]?.(row) ?? null])),
  )

const slicePage = ({ cells }: Page, start: number, rows: number): Page => ({
  rows,
  cells: cells.map(
    (cell): Cells =>
      (row) =>
        cell(start + row),
  ),
})

async function* direct({ scan, columns, limit, offset }: Direct, signal: AbortSignal): AsyncGenerator<Page> {
  if (limit === 0) return
  const query = queryOf(scan)
  if (limit !== undefined) query.limit(limit)
  if (offset !== undefined) query.offset(offset)
  const { table, schema } = scan.table
  for await (const batch of withAbort(batchesOf(table, schema, query, columns), signal)) {
    const cells = columns.map((name): Cells => {
      const column = batch.columns.get(name)
      return (row) => (column ? plainValue(valueAt(column, row)) : null)
    })
    yield { rows: batch.rows, cells }
  }
}

interface EngineError {
  readonly exception_message: string
  readonly position?: string
}

/** What the engine says, at the place in the caller's text that it means. */
const translated = (error: unknown, { text, context: { sql } }: Plan): unknown => {
  const found = messageOf(error)
  const json = found.indexOf('{"exception')
  if (json < 0) return error
  const { exception_message: message, position } = JSON.parse(found.slice(json)) as EngineError
  const [first = "", ...rest] = message.split("\n")
  const hint = rest.find((line) => line.startsWith("Did you mean"))
  // The query stands inside of a longer statement.
  const start = position === undefined ? undefined : Number(position) - STATEMENT.length
  const location = start === undefined ? undefined : markBefore(text, start)
  return errorAt(sql, location, hint ? `${first} ${hint}` : first, error)
}

const STATEMENT = 'CREATE TEMP TABLE "result" AS SELECT * FROM ('

async function* computed(engine: Engine, plan: Plan, params: readonly Param[], signal: AbortSignal) {
  const { outputs, text, context } = plan
  await loadAll(engine, context.scans, signal)
  const bound = context.bound.map((number) => boundOf(engine.api, params[number - 1], number))
  await runQuery(
    engine,
    text,
    outputs.length,
    bound.map(({ value }) => value),
    bound.map(({ type }) => type),
  ).catch((error: unknown) => {
    signal.throwIfAborted()
    throw translated(error, plan)
  })
  const heavy = outputs.some(({ late, slot }) => late && slot?.stored && layoutOf(slot.stored.type) === "bytes")
  for await (const page of readResult(engine, signal)) {
    const step = heavy ? HEAVY_ROWS : page.rows
    for (let start = 0; start < page.rows; start += step) {
      const piece = slicePage(page, start, Math.min(step, page.rows - start))
      const cells: Cells[] = []
      for (const [index, { late, slot }] of outputs.entries()) {
        const own = piece.cells[index] ?? (() => null)
        signal.throwIfAborted()
        cells.push(late && slot?.stored ? await fetchLate(slot.stored.scan.table, slot.name, piece.rows, own) : own)
      }
      yield { rows: piece.rows, cells }
    }
  }
}

async function* once<T>(value: Promise<T>): AsyncGenerator<T> {
  yield await value
}

/** The rows of a plan. */
export const pagesOf = (plan: Plan, params: readonly Param[], signal: AbortSignal): AsyncGenerator<Page> =>
  plan.direct ? direct(plan.direct, signal) : withEngine(signal, (engine) => computed(engine, plan, params, signal))

/**
 * A SELECT over the tables of a database: checked, and begun when the first page is asked for. Tables are read at the
 * versions that they have now, or at another one.
 */
export const openSelect = async (
  uri: string,
  sql: string,
  select: SelectStmt,
  params: readonly Param[],
  signal: AbortSignal,
  at?: At,
): Promise<QueryResult> => {
  const open = await openTables(uri, namedTables(select), at)
  let plan: Plan
  try {
    plan = planSelect(sql, select, params, open)
  } catch (error) {
    open.close()
    if (error instanceof RangeError) throw new TableError("SQL: the query is nested too deeply", { cause: error })
    throw error
  }
  const { columns, count } = plan
  async function* pages(): AsyncGenerator<readonly QueryRow[]> {
    if (count) {
      const counted = count.table.table.countRows(count.where)
      for await (const rows of withAbort(once(counted), signal)) {
        yield [Object.fromEntries(columns.map((name) => [name, rows]))]
      }
      return
    }
    for await (const page of pagesOf(plan, params, signal)) yield rowsOfPage(columns, page)
  }
  return { columns, pages: closing(pages(), open.close) }
}
