/** A search as a part of a query that is put together by calls. */
import { describeValue } from "../../model/describe.ts"
import { ConfigError } from "../../model/errors.ts"
import { isHidden } from "../../model/rows.ts"
import { identifier } from "../../readers/duckdb.ts"
import { isVector, type Vector } from "../search.ts"
import { as, textOf, walk } from "./node.ts"
import type { Param } from "./params.ts"

export interface TableSearchOptions {
  /** At most so many of the best rows. Default: as many as `limit` and `offset` ask for; without them 10. */
  readonly limit?: number
  /** Only rows that fulfil it; SQL, as in `where`, without values. */
  readonly filter?: string
  /** Beside a vector words in a TEXT column, or beside words a vector in an EMBEDDING column; 0.5 each by default. */
  readonly hybrid?: {
    readonly column: string
    readonly query: string | Vector
    readonly weights?: { readonly vector: number; readonly text: number }
  }
}

export interface TableSearch {
  readonly column: string
  readonly query: string | Vector | readonly Vector[]
  readonly options: TableSearchOptions
}

/** A search in SQL, whose values come after so many others. */
export interface SearchText {
  readonly score: string
  /** Whether a row is found at all. */
  readonly condition: string
  readonly params: readonly Param[]
}

const isList = (query: TableSearch["query"]): query is readonly Vector[] =>
  Array.isArray(query) && query.length > 0 && query.every(isVector)

export const searchText = ({ column, query, options }: TableSearch, before: number): SearchText => {
  const { hybrid } = options
  const place = (at: number): string => `$${before + at}`
  if (hybrid) {
    const [vector, text] = isVector(query) ? [{ column, query }, hybrid] : [hybrid, { column, query }]
    if (!isVector(vector.query) || typeof text.query !== "string") {
      throw new ConfigError(
        `search: expected a vector and words, found ${describeValue(query)} and ${describeValue(hybrid.query)}`,
      )
    }
    const weights = hybrid.weights ?? { vector: 0.5, text: 0.5 }
    const columns = `(${identifier(vector.column)}, ${identifier(text.column)})::deeplake_hybrid_record`
    const values = [1, 2, 3, 4].map(place).join(", ")
    const score = `(${columns} <#> deeplake_hybrid_record(${values}))`
    const params = [vector.query, text.query, weights.vector, weights.text]
    return { score, condition: `${score} IS NOT NULL`, params }
  }
  if (typeof query !== "string" && !isVector(query) && !isList(query)) {
    throw new ConfigError(`search: expected words, a vector or a list of vectors, found ${describeValue(query)}`)
  }
  const score = `(${identifier(column)} <#> ${place(1)})`
  const condition = typeof query === "string" ? `${score} > 0` : `${score} IS NOT NULL`
  return { score, condition, params: [query] }
}

/** The name of the score in the rows, and in all that they are asked for. */
export const SCORE = "_score"

/** The SQL with `_score` replaced by what it stands for. `start` bytes of what was parsed come before it. */
export const withScore = (sql: string, tree: unknown, start: number, score: string): string => {
  const places: number[] = []
  walk(tree, (kind, content) => {
    const { fields = [], location } = as({ ColumnRef: content }, "ColumnRef") ?? {}
    if (kind !== "ColumnRef" || fields.length !== 1 || textOf(fields[0]) !== SCORE) return true
    places.push((location ?? 0) - start)
    return false
  })
  let bytes = Buffer.from(sql)
  for (const at of places.sort((a, b) => b - a)) {
    const length = bytes[at] === '"'.charCodeAt(0) ? SCORE.length + 2 : SCORE.length
    bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(score), bytes.subarray(at + length)])
  }
  return bytes.toString()
}

/** The columns that pieces of SQL name; of all of them only the hidden ones are named besides. */
export const columnsNamed = (trees: readonly unknown[], all: boolean): readonly string[] => {
  const names = new Set<string>()
  walk(trees, (kind, content) => {
    if (kind !== "ColumnRef") return true
    const name = textOf(as({ ColumnRef: content }, "ColumnRef")?.fields?.at(-1))
    if (name !== undefined && name !== SCORE && (!all || isHidden(name))) names.add(name)
    return false
  })
  return [...(all ? ["*"] : []), ...[...names].map(identifier)]
}
