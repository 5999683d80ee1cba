/**
 * The operators that search: `embedding <#> $1`, `text <#> 'words'`, `text @> 'words'`, and
 * `(embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, 'words')`. Each is a column of its table's
 * scan, which is computed while the table is read.
 */
import type { A_Expr, Node } from "libpg-query"
import { describeValue } from "../../model/describe.ts"
import { messageOf, TableError } from "../../model/errors.ts"
import { formatType } from "../../model/types.ts"
import { identifier } from "../../readers/duckdb.ts"
import { checkSearch, type Search } from "../search/rank.ts"
import { type Context, mark } from "./context.ts"
import { arrayOf, type Known, knownValue } from "./known-value.ts"
import { as, locationOf, namesOf, walk } from "./node.ts"
import type { Scan, Score } from "./scan.ts"
import { resolve, type Scope, type Slot } from "./scope.ts"
import { errorAt } from "./source.ts"

/** The type and the function of rows that have a vector and a text. */
const HYBRID = "deeplake_hybrid_record"

type Stored = NonNullable<Slot["stored"]>

interface Column extends Stored {
  readonly name: string
}

/** `embedding::float4[]` is what the column holds anyway. */
const SAME = /^(float4|float32|embedding|text|varchar)$/

const withoutCast = (node: Node | undefined): Node | undefined => {
  const typed = as(node, "TypeCast")
  return typed && SAME.test(namesOf(typed.typeName?.names).at(-1) ?? "") ? typed.arg : node
}

const columnOf = (context: Context, node: Node | undefined, scope: Scope | undefined, operator: string): Column => {
  const ref = as(withoutCast(node), "ColumnRef")
  const { sql } = context
  if (!ref) {
    throw errorAt(
      sql,
      locationOf(node),
      `${operator}: expected a column to the left of it, as in column ${operator} $1`,
    )
  }
  const { name, stored } = resolve(sql, ref, scope)
  if (stored) return { name, ...stored }
  throw errorAt(
    sql,
    ref.location,
    `${operator} searches the column of a table, and ${JSON.stringify(name)} comes from a query or a join; use it where the table itself is read`,
  )
}

const toVector = (value: Known | undefined): readonly number[] | undefined => {
  const list = typeof value === "string" ? arrayOf(value) : value
  if (list instanceof Float32Array || list instanceof Float64Array) return Array.from(list)
  if (!Array.isArray(list) || list.length === 0) return undefined
  const numbers = list.map((one: unknown) => (typeof one === "bigint" ? Number(one) : one))
  return numbers.every((one) => typeof one === "number") ? numbers : undefined
}

const toVectors = (value: Known | undefined): (readonly number[])[] | undefined => {
  const list = typeof value === "string" ? arrayOf(value) : value
  if (!Array.isArray(list)) return undefined
  const vectors = list.map((one: Known) => toVector(one))
  return vectors.includes(undefined) ? undefined : (vectors as (readonly number[])[])
}

const toText = (value: Known | undefined): string | undefined => (typeof value === "string" ? value : undefined)

const toNumber = (value: Known | undefined): number | undefined => (typeof value === "number" ? value : undefined)

/** @throws {TableError} for a value of another kind, and for what is not known before the query runs. */
const operand = <T>(
  context: Context,
  node: Node | undefined,
  expected: string,
  convert: (value: Known | undefined) => T | undefined,
): T => {
  const value = knownValue(context, node)
  const converted = convert(value)
  if (converted !== undefined) return converted
  const found = value === undefined ? "what has to be computed" : describeValue(value)
  throw errorAt(context.sql, locationOf(node), `expected ${expected}, found ${found}`)
}

const VECTOR = "a vector: a parameter that is an array of numbers, '{0.1,0.2}'::float4[] or ARRAY[0.1, 0.2]"
const VECTORS = "a list of vectors: a parameter that is an array of arrays of numbers, or ARRAY[[0.1, 0.2], [0.3, 0.4]]"
const WORDS = "words: a text, or a parameter that is one"

const simple = (context: Context, { name, type }: Column, { lexpr, rexpr }: A_Expr): Search => {
  switch (type.name) {
    case "EMBEDDING":
      return { kind: "vector", column: name, vector: operand(context, rexpr, VECTOR, toVector) }
    case "MULTI_EMBEDDING":
      return { kind: "vectors", column: name, vectors: operand(context, rexpr, VECTORS, toVectors) }
    case "TEXT":
      return { kind: "text", column: name, text: operand(context, rexpr, WORDS, toText) }
    default:
      throw errorAt(
        context.sql,
        locationOf(lexpr),
        `<#> searches EMBEDDING, MULTI_EMBEDDING and TEXT columns, and ${JSON.stringify(name)} is ${formatType(type)}`,
      )
  }
}

const contains = (context: Context, { name, type }: Column, { lexpr, rexpr }: A_Expr): Search => {
  if (type.name === "TEXT") return { kind: "contains", column: name, text: operand(context, rexpr, WORDS, toText) }
  const found = `${JSON.stringify(name)} is ${formatType(type)}`
  throw errorAt(context.sql, locationOf(lexpr), `@> looks for words in TEXT columns, and ${found}`)
}

interface Searched {
  readonly scan: Scan
  readonly search: Search
}

const hybrid = (
  context: Context,
  columns: readonly Node[],
  right: Node | undefined,
  scope: Scope | undefined,
): Searched => {
  const [vector, text] = columns.map((node) => columnOf(context, node, scope, "<#>"))
  const call = as(right, "FuncCall")
  const args = call?.args ?? []
  const shape = `(embedding, text)::${HYBRID} <#> ${HYBRID}(vector, words [, vector weight, text weight])`
  if (!vector || !text || columns.length !== 2) {
    throw errorAt(context.sql, locationOf(columns[0]), `expected two columns, as in ${shape}`)
  }
  if (!call || namesOf(call.funcname).at(-1) !== HYBRID || (args.length !== 2 && args.length !== 4)) {
    throw errorAt(context.sql, locationOf(right), `expected ${shape}`)
  }
  if (vector.scan !== text.scan) {
    throw errorAt(context.sql, locationOf(columns[0]), "a hybrid search is of two columns of one table")
  }
  const weight = (node: Node | undefined): number =>
    node ? operand(context, node, "a weight: a number", toNumber) : 0.5
  return {
    scan: vector.scan,
    search: {
      kind: "hybrid",
      vectorColumn: vector.name,
      vector: operand(context, args[0], VECTOR, toVector),
      textColumn: text.name,
      text: operand(context, args[1], WORDS, toText),
      weights: { vector: weight(args[2]), text: weight(args[3]) },
    },
  }
}

const searchedBy = (context: Context, expression: A_Expr, name: string, scope: Scope | undefined): Searched => {
  const { lexpr, rexpr } = expression
  const typed = as(lexpr, "TypeCast")
  const pair = as(namesOf(typed?.typeName?.names).at(-1) === HYBRID ? typed?.arg : lexpr, "RowExpr")
  if (pair && name === "<#>") return hybrid(context, pair.args ?? [], rexpr, scope)
  const column = columnOf(context, lexpr, scope, name)
  const search = (name === "<#>" ? simple : contains)(context, column, expression)
  return { scan: column.scan, search }
}

/** A score, and how the engine calls it. */
export interface Found {
  readonly scan: Scan
  readonly score: Score
  readonly sql: string
}

/**
 * The score that an expression stands for; undefined when it is no search. The same search of the same scan is one
 * score.
 *
 * @throws {TableError} for a column or a value that cannot be searched, or searched for.
 */
export const scoreAt = (context: Context, node: Node | undefined, scope: Scope | undefined): Found | undefined => {
  const expression = as(node, "A_Expr")
  const name = namesOf(expression?.name).at(-1) ?? ""
  if (expression?.kind !== "AEXPR_OP" || !expression.lexpr || (name !== "<#>" && name !== "@>")) return undefined
  const { scan, search } = searchedBy(context, expression, name, scope)
  try {
    checkSearch(scan.table, search)
  } catch (error) {
    const place = error instanceof TableError ? expression.lexpr : expression.rexpr
    throw errorAt(context.sql, locationOf(place), messageOf(error), error)
  }
  const key = JSON.stringify(search)
  let score = scan.scores.find((one) => one.key === key)
  // A column of a table has no dot in its name.
  score ??= { search, key, column: `_score.${scan.scores.length}`, needed: false }
  if (!scan.scores.includes(score)) scan.scores.push(score)
  const column = `${identifier(scan.alias)}.${identifier(score.column)}`
  return { scan, score, sql: `${mark(expression.location)}${search.kind === "contains" ? `(${column} = 1)` : column}` }
}

/** Whether an expression is computed from a score: rows without one come last, whatever the direction. */
export const hasScore = (context: Context, node: Node | undefined, scope: Scope | undefined): boolean => {
  let found = false
  walk(node, (kind, content) => {
    if (kind === "SubLink" || found) return false
    if (kind === "A_Expr") found = namesOf((content as A_Expr).name).at(-1) === "<#>"
    if (kind === "ColumnRef") found = resolve(context.sql, content, scope).holds === "score"
    return !found
  })
  return found
}
