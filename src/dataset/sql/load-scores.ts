/** The rows of a scan with their scores: those that the store's conditions leave, or those that a search finds. */
import type { Batch } from "../../model/batch.ts"
import { type Column, newColumn, validity } from "../../model/column.ts"
import { quoteName } from "../../store/filter.ts"
import { batchesOf } from "../../store/scan.ts"
import type { RowScores } from "../search/bm25.ts"
import { rank, type Search, scoreRows } from "../search/rank.ts"
import { lookup, type Ranking } from "../search/ranking.ts"
import { ROW_ID } from "./from.ts"
import { queryOf, type Scan } from "./scan.ts"

/** Rows to fetch at a time by their ids. */
const PIECE = 1000

/** The scores of these rows. */
type Scores = (ids: BigInt64Array) => Promise<Float64Array> | Float64Array

const scoreColumn = (scores: Float64Array): Column => {
  const valid = validity(scores.length, (row) => !Number.isNaN(scores[row]))
  return newColumn({ name: "FLOAT64" }, scores.length, scores, undefined, valid)
}

const withScores = async (batch: Batch, scores: ReadonlyMap<string, Scores>): Promise<Batch> => {
  const columns = new Map(batch.columns)
  const ids = columns.get(ROW_ID)?.values as BigInt64Array
  for (const [name, scoresOf] of scores) columns.set(name, scoreColumn(await scoresOf(ids)))
  return { rows: batch.rows, columns }
}

/** Scores that come as the rows do, or nearly so: what comes before its row is kept until then. */
export const follow = (parts: AsyncGenerator<RowScores>): Scores => {
  let part: RowScores | undefined
  let at = 0
  const early = new Map<bigint, number>()
  const scoreOf = async (id: bigint): Promise<number> => {
    const kept = early.get(id)
    if (kept !== undefined) {
      early.delete(id)
      return kept
    }
    for (;;) {
      while (!part || at === part.ids.length) {
        const next = await parts.next()
        if (next.done) return Number.NaN
        part = next.value
        at = 0
      }
      const found = part.ids[at] as bigint
      const score = part.scores[at] ?? Number.NaN
      at++
      if (found === id) return score
      early.set(found, score)
    }
  }
  return async (ids) => {
    const scores = new Float64Array(ids.length)
    for (let row = 0; row < ids.length; row++) {
      // Nearly always the next one, for which there is nothing to wait.
      if (early.size === 0 && part && part.ids[at] === ids[row]) {
        scores[row] = part.scores[at] ?? Number.NaN
        at++
      } else scores[row] = await scoreOf(ids[row] as bigint)
    }
    return scores
  }
}

async function* readWithScores(scan: Scan, columns: readonly string[]): AsyncGenerator<Batch> {
  const { table, schema } = scan.table
  const parts = scan.scores
    .filter(({ needed }) => needed)
    .map(({ column, search }) => [column, scoreRows(scan.table, search, scan.where)] as const)
  const scores = new Map(parts.map(([column, rows]) => [column, follow(rows)]))
  try {
    for await (const batch of batchesOf(table, schema, queryOf(scan), columns, ROW_ID)) {
      yield await withScores(batch, scores)
    }
  } finally {
    for (const [, rows] of parts) await rows.return(undefined)
  }
}

/** Conditions for the rows that a search does not find, in the order of their scores. */
const unfound = (search: Search): readonly (readonly [condition: string | undefined, score: number])[] =>
  search.kind === "text"
    ? [
        [`${quoteName(search.column)} IS NOT NULL`, 0],
        [`${quoteName(search.column)} IS NULL`, Number.NaN],
      ]
    : [[undefined, Number.NaN]]

/** The best rows with all that have the same score as the last one; undefined where that could be any row. */
const bestWithTies = async (scan: Scan, search: Search, limit: number): Promise<Ranking | undefined> => {
  for (let asked = 2 * limit; ; asked *= 4) {
    const ranked = await rank(scan.table, search, { filter: scan.where, limit: asked })
    const { ids, scores } = ranked
    if (ids.length < limit) return undefined
    if (ids.length < asked || scores.at(-1) !== scores[limit - 1]) return ranked
  }
}

/** The best rows, and when there are fewer than asked for, such as have no score, or 0. */
const bestRows = async ({ table: open, where }: Scan, search: Search, limit: number | undefined): Promise<Ranking> => {
  const ranked = await rank(open, search, { filter: where, limit })
  if (limit === undefined || ranked.ids.length >= limit) return ranked
  const scores = new Map([...ranked.ids].map((id, index) => [id, ranked.scores[index] ?? Number.NaN]))
  for (const [condition, score] of unfound(search)) {
    if (scores.size === limit) break
    const query = open.table.query().limit(limit + ranked.ids.length)
    const all = [where, condition].flatMap((one) => (one === undefined ? [] : [`(${one})`]))
    if (all.length > 0) query.where(all.join(" AND "))
    for await (const { columns } of batchesOf(open.table, open.schema, query, [], ROW_ID)) {
      for (const id of (columns.get(ROW_ID)?.values ?? []) as BigInt64Array) {
        if (scores.size < limit && !scores.has(id)) scores.set(id, score)
      }
    }
  }
  return { ids: BigInt64Array.from(scores.keys()), scores: Float64Array.from(scores.values()) }
}

/** The scores of a few of the rows. */
const pick = async ({ table, where }: Scan, search: Search, ids: BigInt64Array): Promise<Ranking> => {
  const scores = new Float64Array(ids.length).fill(Number.NaN)
  const placeOf = lookup({ ids, scores: scores.map((_, index) => index) })
  for await (const part of scoreRows(table, search, where)) {
    for (let row = 0; row < part.scores.length; row++) {
      const place = placeOf(Number(part.ids[row]))
      if (place !== undefined) scores[place] = part.scores[row] ?? Number.NaN
    }
  }
  return { ids, scores }
}

async function* readFound(
  scan: Scan,
  { score, limit, ties }: NonNullable<Scan["found"]>,
  columns: readonly string[],
): AsyncGenerator<Batch> {
  const { table, schema } = scan.table
  const rows =
    ties && limit !== undefined
      ? await bestWithTies(scan, score.search, limit)
      : await bestRows(scan, score.search, limit)
  if (!rows) return yield* readWithScores(scan, columns)
  const scores = new Map<string, Scores>()
  for (const { needed, column, search } of scan.scores) {
    if (!needed) continue
    const scoreOf = lookup(search === score.search ? rows : await pick(scan, search, rows.ids))
    scores.set(column, (ids) => Float64Array.from(ids, (id) => scoreOf(Number(id)) ?? Number.NaN))
  }
  // As they came into the table.
  const ids = rows.ids.toSorted()
  for (let start = 0; start < ids.length; start += PIECE) {
    const piece = table.takeRowIds([...ids.subarray(start, start + PIECE)])
    for await (const batch of batchesOf(table, schema, piece, columns, ROW_ID)) yield await withScores(batch, scores)
  }
}

/** Batches with the columns, the rows' ids and the scores that are needed. */
export const scoredBatches = (scan: Scan, columns: readonly string[]): AsyncGenerator<Batch> =>
  scan.found ? readFound(scan, scan.found, columns) : readWithScores(scan, columns)
