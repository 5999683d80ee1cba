/**
 * Rows by a vector and by words at once:
 *
 *     vector weight · cosine similarity + text weight · BM25 / best BM25 of the table
 *
 * So both parts are at most 1, and a row's score depends neither on the limit nor on the condition of the search. What a
 * row lacks (a vector, the words) counts 0; one that lacks both is not found.
 */
import { fromRecordBatch } from "../../store/arrow.ts"
import type { OpenTable } from "../open.ts"
import type { RowScores } from "./bm25.ts"
import { lookup, type Ranking, ranker } from "./ranking.ts"
import { rowIdsOf } from "./scan-column.ts"
import { type RankOptions, rankText } from "./text.ts"
import { MAX_NEIGHBOURS, rankVector, scoreVector, similarities, unitVector } from "./vector.ts"

export interface HybridSearch {
  readonly vectorColumn: string
  readonly vector: ArrayLike<number>
  readonly textColumn: string
  readonly text: string
  readonly weights: { readonly vector: number; readonly text: number }
}

/** Neighbours and rows with words to begin with. */
const FIRST = 64

const wordsAndBest = async (open: OpenTable, { textColumn, text }: HybridSearch, filter: string | undefined) => {
  const words = await rankText(open, textColumn, text, { filter })
  const top = filter === undefined ? words : await rankText(open, textColumn, text, { limit: 1 })
  return { words, best: top.scores[0] ?? 1 }
}

/** The score of every row that the filter leaves, in table order; NaN where it has neither a vector nor any word. */
export async function* scoreHybrid(open: OpenTable, search: HybridSearch, filter?: string): AsyncGenerator<RowScores> {
  const { words, best } = await wordsAndBest(open, search, filter)
  const wordsOfRow = lookup(words)
  for await (const { ids, scores } of scoreVector(open, search.vectorColumn, search.vector, filter)) {
    scores.forEach((similarity, row) => {
      const text = wordsOfRow(Number(ids[row]))
      if (Number.isNaN(similarity) && text === undefined) return
      scores[row] = combine(search, similarity, (text ?? 0) / best)
    })
    yield { ids, scores }
  }
}

const combine = ({ weights }: HybridSearch, similarity: number, text: number): number =>
  weights.vector * (Number.isNaN(similarity) ? 0 : similarity) + weights.text * text

const similaritiesOf = async (
  open: OpenTable,
  { vectorColumn, vector }: HybridSearch,
  ids: readonly number[],
): Promise<Map<number, number>> => {
  const found = new Map<number, number>()
  if (ids.length === 0) return found
  const unit = unitVector(vector)
  for await (const record of open.table.takeRowIds(ids.map(BigInt)).select([vectorColumn]).withRowId()) {
    const column = fromRecordBatch(record).columns.get(vectorColumn)
    if (!column) continue
    const rows = rowIdsOf(record)
    similarities(unit, column).forEach((score, row) => {
      found.set(Number(rows[row]), score)
    })
  }
  return found
}

/**
 * The best rows. With a limit, the nearest vectors and the best texts are taken together, more and more of them, until
 * no row that was not looked at can be among the best.
 */
export const rankHybrid = async (
  open: OpenTable,
  search: HybridSearch,
  { filter, limit }: RankOptions = {},
): Promise<Ranking> => {
  const { vectorColumn, vector, weights } = search
  if (limit !== undefined) {
    const { words, best } = await wordsAndBest(open, search, filter)
    const wordsOfRow = lookup(words)
    const textAt = (index: number): number => (words.scores[index] ?? 0) / best
    for (let asked = Math.max(FIRST, 2 * limit); asked <= MAX_NEIGHBOURS; asked *= 4) {
      const near = await rankVector(open, vectorColumn, vector, { filter, limit: asked })
      const similarityOf = new Map<number, number>()
      near.ids.forEach((id, index) => {
        similarityOf.set(Number(id), near.scores[index] ?? 0)
      })
      const worded = Array.from(words.ids.subarray(0, asked), Number).filter((id) => !similarityOf.has(id))
      for (const [id, score] of await similaritiesOf(open, search, worded)) similarityOf.set(id, score)
      const ranked = ranker(limit)
      for (const [id, score] of similarityOf) {
        const text = wordsOfRow(id)
        if (!Number.isNaN(score) || text !== undefined) ranked.add(id, combine(search, score, (text ?? 0) / best))
      }
      const result = ranked.best()
      const isAll = near.ids.length < asked && words.ids.length <= asked
      const farthest = near.ids.length < asked ? 0 : Math.max(0, near.scores.at(-1) ?? 0)
      const unseen = weights.vector * farthest + weights.text * textAt(asked)
      if (isAll || (result.ids.length === limit && (result.scores.at(-1) ?? 0) > unseen)) return result
    }
  }
  const ranked = ranker(limit)
  for await (const { ids, scores } of scoreHybrid(open, search, filter)) {
    scores.forEach((score, row) => {
      if (!Number.isNaN(score)) ranked.add(Number(ids[row]), score)
    })
  }
  return ranked.best()
}
