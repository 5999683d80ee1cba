/** Rows by the words of a TEXT column: through its index where it has one, otherwise by reading the column. */
import { isNull } from "../../model/column.ts"
import { lancedb } from "../../store/database.ts"
import { listTableIndexes, type TableIndex } from "../../store/indexes.ts"
import { type OpenTable, queryWhere } from "../open.ts"
import { type RowScores, scanBm25 } from "./bm25.ts"
import { lookup, type Ranking, ranker } from "./ranking.ts"
import { numbersOf, rowIdsOf, scanColumn } from "./scan-column.ts"
import { wordCounter, wordsOf } from "./words.ts"

export interface RankOptions {
  /** A condition in the store's SQL. */
  readonly filter?: string | undefined
  /** At most so many rows. Default: all that fit. */
  readonly limit?: number | undefined
}

/** The store gives rows of the same score in any order; so many more show which of them stand at the limit. */
export const ROOM = 16

const textIndex = async ({ table }: OpenTable, column: string): Promise<TableIndex | undefined> =>
  (await listTableIndexes(table)).find((index) => index.type === "BM25" && index.column === column)

/** Whether the index has the words as {@link wordsOf} makes them. */
const hasPlainWords = ({ details }: TableIndex): boolean =>
  details.base_tokenizer === "simple" &&
  details.lance_tokenizer === "text" &&
  details.stem === false &&
  details.remove_stop_words === false &&
  details.ascii_folding === true &&
  details.lower_case === true &&
  details.max_token_length === 40

interface Found {
  readonly ids: Float64Array
  readonly scores: Float32Array
}

const findWords = async (
  open: OpenTable,
  column: string,
  text: string,
  all: boolean,
  filter: string | undefined,
  limit: number,
): Promise<Found> => {
  const { MatchQuery, Operator } = lancedb()
  const match = new MatchQuery(text, column, { operator: all ? Operator.And : Operator.Or })
  const query = (await queryWhere(open, filter)).fullTextSearch(match).limit(limit).select(["_score"]).withRowId()
  const ids: number[] = []
  const scores: number[] = []
  for await (const record of query) {
    for (const id of rowIdsOf(record)) ids.push(Number(id))
    for (const score of numbersOf(record, "_score")) scores.push(score)
  }
  return { ids: Float64Array.from(ids), scores: Float32Array.from(scores) }
}

const rankByIndex = async (
  open: OpenTable,
  column: string,
  text: string,
  { filter, limit }: RankOptions,
): Promise<Ranking> => {
  const best = ranker(limit)
  const rows = Math.max(1, await open.table.countRows())
  for (let asked = limit === undefined ? rows : Math.min(rows, limit + ROOM); ; asked = Math.min(rows, 4 * asked)) {
    const { ids, scores } = await findWords(open, column, text, false, filter, asked)
    const isCut = limit !== undefined && ids.length === asked && asked < rows && scores[limit - 1] === scores.at(-1)
    if (isCut) continue
    for (let index = 0; index < ids.length; index++) best.add(ids[index] ?? 0, scores[index] ?? 0)
    return best.best()
  }
}

/**
 * The rows that have any of the words, by BM25: the best first.
 *
 * With an index the score is the index's. It counts rows that were deleted since it was built; rows that came since are
 * found, with scores that count them, too.
 */
export const rankText = async (
  open: OpenTable,
  column: string,
  text: string,
  options: RankOptions = {},
): Promise<Ranking> => {
  if (await textIndex(open, column)) return rankByIndex(open, column, text, options)
  const best = ranker(options.limit)
  for await (const { ids, scores } of scanBm25(open, column, text, options.filter)) {
    for (let row = 0; row < scores.length; row++) {
      const score = scores[row] ?? 0
      if (score > 0) best.add(Number(ids[row]), score)
    }
  }
  return best.best()
}

/** BM25 of every row that the filter leaves, in table order; 0 without any of the words, NaN without a text. */
export async function* scoreText(
  open: OpenTable,
  column: string,
  text: string,
  filter?: string,
): AsyncGenerator<RowScores> {
  if (!(await textIndex(open, column))) {
    yield* scanBm25(open, column, text, filter)
    return
  }
  const scoreOf = lookup(await rankByIndex(open, column, text, { filter }))
  for await (const { ids, column: texts } of scanColumn(open, column, filter)) {
    const scores = Float64Array.from(ids, (id) => scoreOf(Number(id)) ?? 0)
    for (let row = 0; row < texts.length; row++) if (isNull(texts, row)) scores[row] = Number.NaN
    yield { ids, scores }
  }
}

/** Whether each row that the filter leaves has all of the words, in table order: 1, 0, or NaN without a text. */
export async function* scoreContains(
  open: OpenTable,
  column: string,
  text: string,
  filter?: string,
): AsyncGenerator<RowScores> {
  const terms = [...new Set(await wordsOf(text))]
  const counter = await wordCounter(terms)
  const counts = new Uint32Array(terms.length)
  for await (const part of scanColumn(open, column, filter)) {
    const scores = new Float64Array(part.column.length)
    for (let row = 0; row < scores.length; row++) {
      counts.fill(0)
      counter.count(part.column, row, counts)
      const has = terms.length > 0 && counts.every((count) => count > 0)
      scores[row] = isNull(part.column, row) ? Number.NaN : Number(has)
    }
    yield { ids: part.ids, scores }
  }
}

/** The rows that have all of the words, in table order, each with the score 1. */
export const rankContains = async (
  open: OpenTable,
  column: string,
  text: string,
  { filter, limit }: RankOptions = {},
): Promise<Ranking> => {
  const best = ranker(limit)
  const index = await textIndex(open, column)
  // An index of stems would find other words.
  if (index && hasPlainWords(index)) {
    const { ids } = await findWords(open, column, text, true, filter, Math.max(1, await open.table.countRows()))
    for (const id of ids) best.add(id, 1)
    return best.best()
  }
  for await (const { ids, scores } of scoreContains(open, column, text, filter)) {
    for (let row = 0; row < scores.length; row++) if (scores[row] === 1) best.add(Number(ids[row]), 1)
  }
  return best.best()
}
