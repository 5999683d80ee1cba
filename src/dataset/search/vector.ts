/** Rows by the cosine similarity of an EMBEDDING column to a vector: 1 the same direction, -1 the opposite one. */
import { type Column, isNull } from "../../model/column.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { listTableIndexes } from "../../store/indexes.ts"
import { type OpenTable, queryWhere } from "../open.ts"
import type { RowScores } from "./bm25.ts"
import { type Ranking, ranker } from "./ranking.ts"
import { numbersOf, rowIdsOf, scanColumn } from "./scan-column.ts"
import { type RankOptions, ROOM } from "./text.ts"

/** From here on the whole column is read: so many vectors one by one take as long. */
export const MAX_NEIGHBOURS = 10_000
/** Distances that the store takes for different may be the same but for their rounding. */
const ROUNDING = 1e-5

/** The vector with length 1. */
export const unitVector = (vector: ArrayLike<number>): Float64Array => {
  const unit = Float64Array.from(vector)
  let square = 0
  for (const value of unit) square += value * value
  const length = Math.sqrt(square)
  return unit.map((value) => value / length)
}

/** NaN for a vector without a direction: zeros (also such as are zero once they are squared), or not all finite. */
export const similarity = (unit: Float64Array, values: Float32Array, start: number): number => {
  let dot = 0
  let square = 0
  for (let i = 0; i < unit.length; i++) {
    const value = values[start + i] ?? 0
    dot += (unit[i] ?? 0) * value
    square += value * value
  }
  if (Math.fround(square) === 0 || !Number.isFinite(square)) return Number.NaN
  return Math.max(-1, Math.min(1, dot / Math.sqrt(square)))
}

/** The similarity of each row; NaN where it has no vector with a direction. */
export const similarities = (unit: Float64Array, column: Column): Float64Array => {
  const scores = new Float64Array(column.length)
  for (let row = 0; row < scores.length; row++) {
    scores[row] = isNull(column, row) ? Number.NaN : similarity(unit, column.values as Float32Array, row * unit.length)
  }
  return scores
}

/** The similarity of every row that the filter leaves, in table order; NaN where it has no vector with a direction. */
export async function* scoreVector(
  open: OpenTable,
  column: string,
  vector: ArrayLike<number>,
  filter?: string,
): AsyncGenerator<RowScores> {
  const unit = unitVector(vector)
  for await (const part of scanColumn(open, column, filter)) {
    yield { ids: part.ids, scores: similarities(unit, part.column) }
  }
}

/** Whether the column has an index that compares by cosine; one of another measure is of no use here. */
const hasIndex = async ({ table }: OpenTable, column: string): Promise<boolean> => {
  const indexes = await listTableIndexes(table)
  return indexes.some(({ column: of, details }) => of === column && details.metric_type === "COSINE")
}

/**
 * The rows with the most similar vectors, the best first: exactly without an index; with one (IVF) and a limit, nearly.
 * Rows without a vector that has a direction are left out.
 */
export const rankVector = async (
  open: OpenTable,
  column: string,
  vector: ArrayLike<number>,
  { filter, limit }: RankOptions = {},
): Promise<Ranking> => {
  const unit = unitVector(vector)
  let indexed = limit !== undefined && (await hasIndex(open, column))
  for (let asked = (limit ?? 0) + ROOM; limit !== undefined && asked <= MAX_NEIGHBOURS; ) {
    const query = (await queryWhere(open, filter))
      .nearestTo(Float32Array.from(unit))
      .column(column)
      .distanceType("cosine")
      .limit(asked)
      .select([column, "_distance"])
      .withRowId()
    if (!indexed) query.bypassVectorIndex()
    const best = ranker(limit)
    const distances: number[] = []
    for await (const record of query) {
      const found = fromRecordBatch(record).columns.get(column)
      if (!found) continue
      const ids = rowIdsOf(record)
      for (const distance of numbersOf(record, "_distance")) distances.push(distance)
      // The store's distances are rounded to 32 bits.
      similarities(unit, found).forEach((score, row) => {
        if (!Number.isNaN(score)) best.add(Number(ids[row]), score)
      })
    }
    if (distances.length < limit && indexed) {
      // Where a condition leaves few rows, the clusters that are looked at may have too few of them.
      indexed = false
      continue
    }
    const isCut = distances.length === asked && (distances.at(-1) ?? 0) - (distances[limit - 1] ?? 0) <= ROUNDING
    if (!isCut) return best.best()
    asked *= 4
  }
  const best = ranker(limit)
  for await (const { ids, scores } of scoreVector(open, column, vector, filter)) {
    scores.forEach((score, row) => {
      if (!Number.isNaN(score)) best.add(Number(ids[row]), score)
    })
  }
  return best.best()
}
