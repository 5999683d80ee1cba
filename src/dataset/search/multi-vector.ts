/**
 * Rows by MaxSim: for each vector of the search, the highest cosine similarity that one of the row's vectors has to it,
 * added up. So a score is at most the number of the search's vectors. The whole column is read.
 */
import { isNull } from "../../model/column.ts"
import type { OpenTable } from "../open.ts"
import type { RowScores } from "./bm25.ts"
import { scanColumn } from "./scan-column.ts"
import { similarity, unitVector } from "./vector.ts"

/** MaxSim of every row that the filter leaves, in table order; NaN where it has no vector with a direction. */
export async function* scoreVectors(
  open: OpenTable,
  column: string,
  vectors: readonly ArrayLike<number>[],
  filter?: string,
): AsyncGenerator<RowScores> {
  const units = vectors.map(unitVector)
  const highest = new Float64Array(units.length)
  for await (const { ids, column: part } of scanColumn(open, column, filter)) {
    const scores = new Float64Array(part.length).fill(Number.NaN)
    const size = part.type.size ?? 1
    for (let row = 0; row < scores.length; row++) {
      if (isNull(part, row)) continue
      highest.fill(Number.NEGATIVE_INFINITY)
      const end = part.offsets?.[row + 1] ?? 0
      for (let start = part.offsets?.[row] ?? 0; start < end; start += size) {
        for (const [index, unit] of units.entries()) {
          const score = similarity(unit, part.values as Float32Array, start)
          // A vector without a direction is NaN for all of them, and is left out.
          if (score > (highest[index] ?? 0)) highest[index] = score
        }
      }
      const sum = highest.reduce((total, score) => total + score, 0)
      if (Number.isFinite(sum)) scores[row] = sum
    }
    yield { ids, scores }
  }
}
