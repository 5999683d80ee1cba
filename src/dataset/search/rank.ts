/**
 * The core of search: what is searched for, in which order rows come, and which score each one has.
 *
 * - `rank`: the best rows, by score from high to low, and of rows with the same score the one that came into the table
 *   first. With a limit it goes through indexes.
 * - `scoreRows`: the score of every row, in table order.
 *
 * Both give a row the same score.
 */
import { ConfigError, TableError } from "../../model/errors.ts"
import { formatType, type TypeName } from "../../model/types.ts"
import { checkColumns, type OpenTable } from "../open.ts"
import type { RowScores } from "./bm25.ts"
import { type HybridSearch, rankHybrid, scoreHybrid } from "./hybrid.ts"
import { scoreVectors } from "./multi-vector.ts"
import { type Ranking, ranker } from "./ranking.ts"
import { type RankOptions, rankContains, rankText, scoreContains, scoreText } from "./text.ts"
import { rankVector, scoreVector } from "./vector.ts"

/**
 * - `vector`: cosine similarity of an EMBEDDING column, -1 to 1
 * - `vectors`: MaxSim of a MULTI_EMBEDDING column
 * - `text`: BM25 of a TEXT column for any of the words
 * - `contains`: 1 for texts that have all of the words
 * - `hybrid`: cosine similarity and BM25, added up with weights
 */
export type Search =
  | { readonly kind: "vector"; readonly column: string; readonly vector: ArrayLike<number> }
  | { readonly kind: "vectors"; readonly column: string; readonly vectors: readonly ArrayLike<number>[] }
  | { readonly kind: "text" | "contains"; readonly column: string; readonly text: string }
  | ({ readonly kind: "hybrid" } & HybridSearch)

const checkType = (open: OpenTable, column: string, wanted: TypeName, what: string): void => {
  checkColumns(open, [column])
  const type = open.schema.get(column)
  if (type?.name === wanted) return
  const found = type ? formatType(type) : "another type"
  throw new TableError(
    `Table ${JSON.stringify(open.name)}, column ${JSON.stringify(column)}: ${what} is searched for in ${wanted} columns, this one is ${found}`,
  )
}

const checkVector = (open: OpenTable, column: string, vector: ArrayLike<number>): void => {
  const size = open.schema.get(column)?.size ?? 0
  const place = `Table ${JSON.stringify(open.name)}, column ${JSON.stringify(column)}`
  if (vector.length !== size) {
    throw new ConfigError(`${place}: expected a vector of ${size} numbers, found one of ${vector.length}`)
  }
  let square = 0
  for (let i = 0; i < size; i++) {
    const value: unknown = vector[i]
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new ConfigError(`${place}: expected a vector of finite numbers, found ${String(value)} at ${i}`)
    }
    square += value * value
  }
  if (square > 0 && Number.isFinite(square)) return
  throw new ConfigError(
    `${place}: expected a vector with a direction, found one of ${square > 0 ? "huge numbers" : "zeros"}`,
  )
}

const checkText = (open: OpenTable, column: string, text: string): void => {
  checkType(open, column, "TEXT", "text")
  if (text.trim() === "") throw new ConfigError("Expected words to search for, found none")
}

/**
 * @throws {TableError} for a column that is not there, or is of another type.
 * @throws {ConfigError} for a vector of another width, or without a direction; for blank words; for wrong weights.
 */
export const checkSearch = (open: OpenTable, search: Search): void => {
  if (search.kind === "vector") {
    checkType(open, search.column, "EMBEDDING", "a vector")
    checkVector(open, search.column, search.vector)
  } else if (search.kind === "vectors") {
    checkType(open, search.column, "MULTI_EMBEDDING", "a list of vectors")
    if (search.vectors.length === 0) throw new ConfigError("Expected vectors to search for, found an empty list")
    for (const vector of search.vectors) checkVector(open, search.column, vector)
  } else if (search.kind === "hybrid") {
    checkType(open, search.vectorColumn, "EMBEDDING", "a vector")
    checkVector(open, search.vectorColumn, search.vector)
    checkText(open, search.textColumn, search.text)
    const { vector, text } = search.weights
    if (vector >= 0 && text >= 0 && Number.isFinite(vector + text) && vector + text > 0) return
    throw new ConfigError(`weights: expected two numbers of at least 0, one of them above, found ${vector} and ${text}`)
  } else checkText(open, search.column, search.text)
}

/**
 * The score of every row that the filter (a condition in the store's SQL) leaves, in table order, a thousand rows or so
 * at a time. NaN stands for none: no text, no vector, a vector of zeros. A text without any of the words has 0.
 *
 * @throws as {@link checkSearch}.
 */
export async function* scoreRows(open: OpenTable, search: Search, filter?: string): AsyncGenerator<RowScores> {
  checkSearch(open, search)
  switch (search.kind) {
    case "vector":
      return yield* scoreVector(open, search.column, search.vector, filter)
    case "vectors":
      return yield* scoreVectors(open, search.column, search.vectors, filter)
    case "text":
      return yield* scoreText(open, search.column, search.text, filter)
    case "contains":
      return yield* scoreContains(open, search.column, search.text, filter)
    case "hybrid":
      return yield* scoreHybrid(open, search, filter)
  }
}

/**
 * The best rows, as row ids with their scores. Rows without a score (see {@link scoreRows}) are not among them; neither
 * are texts without any of the words, or (`contains`) without all of them. Holds 16 bytes for each row that it gives.
 *
 * @throws as {@link checkSearch}.
 */
export const rank = async (open: OpenTable, search: Search, options: RankOptions = {}): Promise<Ranking> => {
  checkSearch(open, search)
  switch (search.kind) {
    case "vector":
      return rankVector(open, search.column, search.vector, options)
    case "text":
      return rankText(open, search.column, search.text, options)
    case "contains":
      return rankContains(open, search.column, search.text, options)
    case "hybrid":
      return rankHybrid(open, search, options)
    case "vectors": {
      const best = ranker(options.limit)
      for await (const { ids, scores } of scoreVectors(open, search.column, search.vectors, options.filter)) {
        scores.forEach((score, row) => {
          if (!Number.isNaN(score)) best.add(Number(ids[row]), score)
        })
      }
      return best.best()
    }
  }
}
