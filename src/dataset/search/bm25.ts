/**
 * BM25 without an index, by the formula that the store's index has: for each word of the search
 *
 *     idf · tf · (k1 + 1) / (tf + k1 · (1 - b + b · length / average length)),   idf = ln(1 + (N - n + 0.5) / (n + 0.5))
 *
 * with k1 = 1.2 and b = 0.75. N are the rows that have words, n those that have this word; both are counted in the whole
 * table, whatever the condition of the search is, and so is the average length.
 */
import { isNull } from "../../model/column.ts"
import type { OpenTable } from "../open.ts"
import { scanColumn } from "./scan-column.ts"
import { wordCounter, wordsOf } from "./words.ts"

const K1 = 1.2
const B = 0.75

export interface RowScores {
  readonly ids: BigUint64Array
  /** NaN where the row has nothing that could be compared: no text, no vector. */
  readonly scores: Float64Array
}

/**
 * The scores of all rows that the filter leaves, in table order: 0 where a text has none of the words, NaN where there
 * is no text. Reads the column twice, and holds a batch at a time.
 */
export async function* scanBm25(
  open: OpenTable,
  column: string,
  text: string,
  filter?: string,
): AsyncGenerator<RowScores> {
  const asked = await wordsOf(text)
  const terms = [...new Set(asked)]
  // Who writes a word twice wants it twice as much.
  const weights = terms.map((term) => asked.filter((word) => word === term).length)
  const counter = await wordCounter(terms)
  const counts = new Uint32Array(terms.length)

  const rowsWith = new Float64Array(terms.length)
  let rows = 0
  let length = 0
  for await (const part of scanColumn(open, column, undefined)) {
    for (let row = 0; row < part.column.length; row++) {
      counts.fill(0)
      const words = counter.count(part.column, row, counts)
      if (words > 0) rows++
      length += words
      for (let term = 0; term < terms.length; term++) {
        if (counts[term] !== 0) rowsWith[term] = (rowsWith[term] ?? 0) + 1
      }
    }
  }
  const idf = rowsWith.map((n, term) => (weights[term] ?? 1) * Math.log(1 + (rows - n + 0.5) / (n + 0.5)))
  const average = length / Math.max(1, rows)

  for await (const part of scanColumn(open, column, filter)) {
    const scores = new Float64Array(part.column.length)
    for (let row = 0; row < scores.length; row++) {
      if (isNull(part.column, row)) {
        scores[row] = Number.NaN
        continue
      }
      counts.fill(0)
      const words = counter.count(part.column, row, counts)
      const norm = K1 * (1 - B + (B * words) / average)
      let score = 0
      for (let term = 0; term < terms.length; term++) {
        const tf = counts[term] ?? 0
        if (tf > 0) score += ((idf[term] ?? 0) * tf * (K1 + 1)) / (tf + norm)
      }
      scores[row] = score
    }
    yield { ids: part.ids, scores }
  }
}
