/**
 * Conditions of a query in the store's SQL, so far as they mean the same there. What is left out is looked at by the
 * engine; but where all of a query's condition can be put so, there is no need for the engine.
 *
 * Where the two differ: the store compares floats by their bits, so that NaN of either sign is not always the largest;
 * it rounds numbers to the width of a FLOAT32 column; and it refuses numbers beyond the range of an integer column.
 */
import type { A_Expr, Node } from "libpg-query"
import { type ColumnType, layoutOf } from "../../model/types.ts"
import { quoteName, quoteText } from "../../store/filter.ts"
import { as, type Constant, constantOf, namesOf } from "./node.ts"
import type { Param } from "./params.ts"

/** The column of a scan as the store knows it. */
export interface StoredColumn {
  readonly name: string
  readonly type: ColumnType
}

export interface FilterContext {
  /** The scan's column that the node is, if it is one. */
  readonly column: (node: Node | undefined) => StoredColumn | undefined
  readonly param: (number: number) => Param
}

type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">="

const COMPARISONS: readonly string[] = ["=", "<>", "<", "<=", ">", ">="] satisfies readonly Comparison[]
const MIRRORED: Readonly<Record<Comparison, Comparison>> = {
  "=": "=",
  "<>": "<>",
  "<": ">",
  "<=": ">=",
  ">": "<",
  ">=": "<=",
}
/** More values than this are not worth a chain of comparisons. */
const MAX_FLOATS = 100

const INT_RANGE: Readonly<Record<string, bigint>> = { int32: 2n ** 31n, int64: 2n ** 63n }

/** A constant as an integer that fits; undefined for what is none. */
const integer = (value: Constant, layout: string): bigint | undefined => {
  const digits = typeof value === "string" ? (/^\s*([+-]?\d{1,19})\s*$/.exec(value)?.[1] ?? "") : value
  if (digits === null || digits === "" || typeof digits === "boolean") return undefined
  if (typeof digits === "number" && !Number.isSafeInteger(digits)) return undefined
  const found = BigInt(digits)
  const range = INT_RANGE[layout] ?? 0n
  // The store reads the lowest one as a float.
  return found > -range && found < range ? found : undefined
}

const double = (value: Constant): number | undefined => {
  const found = typeof value === "bigint" && BigInt(Number(value)) === value ? Number(value) : value
  return typeof found === "number" && Number.isFinite(found) ? found : undefined
}

const number = (value: number): string => String(value).replace("+", "")

/** With FLOAT32 the constant becomes the next one that a column can have, and the comparison what it means for that. */
const single = (operator: Comparison, value: number): readonly [Comparison, number] | undefined => {
  const near = Math.fround(value)
  if (near === value) return [operator, value]
  if (!Number.isFinite(near)) return undefined
  switch (operator) {
    case "<":
    case "<=":
      return [near > value ? "<" : "<=", near]
    case ">":
    case ">=":
      return [near > value ? ">=" : ">", near]
    default:
      return undefined
  }
}

/** NaN is above all numbers, as in PostgreSQL. */
const floats = (name: string, operator: Comparison, value: number): string => {
  const plain = `${name} ${operator} ${number(value)}`
  if (operator === ">" || operator === ">=") return `(${plain} OR isnan(${name}))`
  if (operator === "<" || operator === "<=") return `(${plain} AND NOT isnan(${name}))`
  return `(${plain})`
}

const compared = ({ name, type }: StoredColumn, operator: Comparison, value: Constant): string | undefined => {
  const quoted = quoteName(name)
  const layout = layoutOf(type)
  switch (layout) {
    case "int32":
    case "int64": {
      const found = integer(value, layout)
      return found === undefined ? undefined : `(${quoted} ${operator} ${found})`
    }
    case "float64": {
      const found = double(value)
      return found === undefined ? undefined : floats(quoted, operator, found)
    }
    case "float32": {
      const found = double(value)
      const near = found === undefined ? undefined : single(operator, found)
      return near && floats(quoted, ...near)
    }
    case "utf8":
      return typeof value === "string" ? `(${quoted} ${operator} ${quoteText(value)})` : undefined
    case "bits":
      if (typeof value !== "boolean" || (operator !== "=" && operator !== "<>")) return undefined
      return `(${quoted} = ${operator === "=" ? value : !value})`
    default:
      return undefined
  }
}

const constant = (context: FilterContext, node: Node | undefined): Constant | undefined => {
  const fixed = as(node, "A_Const")
  if (fixed) return constantOf(fixed)
  const given = as(node, "ParamRef")
  const value = given && context.param(given.number ?? 0)
  return value === null || (typeof value === "object" ? false : value !== undefined) ? (value as Constant) : undefined
}

const comparison = (context: FilterContext, expression: A_Expr, operator: Comparison): string | undefined => {
  const { lexpr, rexpr } = expression
  const left = context.column(lexpr)
  const right = left ? undefined : context.column(rexpr)
  const column = left ?? right
  const value = column && constant(context, left ? rexpr : lexpr)
  if (!column || value === undefined || value === null) return undefined
  return compared(column, left ? operator : MIRRORED[operator], value)
}

const items = (node: Node | undefined): readonly Node[] => as(node, "List")?.items ?? []

const member = (context: FilterContext, { lexpr, rexpr, name }: A_Expr): string | undefined => {
  const column = context.column(lexpr)
  if (!column) return undefined
  const layout = layoutOf(column.type)
  const values = items(rexpr).map((node) => constant(context, node))
  const negated = namesOf(name).at(-1) === "<>"
  if (layout === "float32" || layout === "float64") {
    if (values.length > MAX_FLOATS) return undefined
    const terms = values.map((value) => (value === undefined ? undefined : compared(column, "=", value)))
    if (terms.includes(undefined)) return undefined
    return `${negated ? "NOT " : ""}(${terms.join(" OR ")})`
  }
  const literals = values.map((value) => {
    if (value === undefined || value === null) return undefined
    if (layout === "utf8") return typeof value === "string" ? quoteText(value) : undefined
    return INT_RANGE[layout] === undefined ? undefined : integer(value, layout)
  })
  if (literals.includes(undefined)) return undefined
  return `(${quoteName(column.name)} ${negated ? "NOT " : ""}IN (${literals.join(", ")}))`
}

const between = (context: FilterContext, { lexpr, rexpr, kind }: A_Expr): string | undefined => {
  const column = context.column(lexpr)
  const [low, high] = items(rexpr).map((node) => constant(context, node))
  if (!column || low === undefined || high === undefined || low === null || high === null) return undefined
  const from = compared(column, ">=", low)
  const to = compared(column, "<=", high)
  if (from === undefined || to === undefined) return undefined
  return `${kind === "AEXPR_NOT_BETWEEN" ? "NOT " : ""}(${from} AND ${to})`
}

const like = (context: FilterContext, { lexpr, rexpr, name }: A_Expr): string | undefined => {
  const column = context.column(lexpr)
  const pattern = constant(context, rexpr)
  if (!column || layoutOf(column.type) !== "utf8" || typeof pattern !== "string" || pattern.includes("\\")) {
    return undefined
  }
  const negated = namesOf(name).at(-1) === "!~~"
  return `(${quoteName(column.name)} ${negated ? "NOT " : ""}LIKE ${quoteText(pattern)})`
}

const expression = (context: FilterContext, node: A_Expr): string | undefined => {
  switch (node.kind) {
    case "AEXPR_OP": {
      const operator = namesOf(node.name).at(-1) ?? ""
      return COMPARISONS.includes(operator) ? comparison(context, node, operator as Comparison) : undefined
    }
    case "AEXPR_IN":
      return member(context, node)
    case "AEXPR_LIKE":
      return like(context, node)
    case "AEXPR_BETWEEN":
    case "AEXPR_NOT_BETWEEN":
      return between(context, node)
    default:
      return undefined
  }
}

/** The whole condition in the store's SQL; undefined where a part of it cannot be put so. */
export const storeFilter = (context: FilterContext, node: Node | undefined): string | undefined => {
  const logic = as(node, "BoolExpr")
  if (logic) {
    const terms = (logic.args ?? []).map((term) => storeFilter(context, term))
    if (terms.includes(undefined)) return undefined
    if (logic.boolop === "NOT_EXPR") return `(NOT ${terms[0]})`
    return `(${terms.join(logic.boolop === "OR_EXPR" ? " OR " : " AND ")})`
  }
  const test = as(node, "NullTest")
  if (test) {
    const column = context.column(test.arg)
    if (!column || column.type.blob) return undefined
    return `(${quoteName(column.name)} IS ${test.nulltesttype === "IS_NOT_NULL" ? "NOT " : ""}NULL)`
  }
  const truth = as(node, "BooleanTest")
  if (truth) {
    const column = context.column(truth.arg)
    if (column?.type.name !== "BOOL") return undefined
    const word = (truth.booltesttype ?? "IS_TRUE").replaceAll("_", " ").replace("UNKNOWN", "NULL")
    return `(${quoteName(column.name)} ${word})`
  }
  const fixed = as(node, "A_Const")
  if (fixed) {
    const value = constantOf(fixed)
    return typeof value === "boolean" ? `${value}` : undefined
  }
  const own = as(node, "A_Expr")
  if (own) return expression(context, own)
  const column = context.column(node)
  return column?.type.name === "BOOL" ? `(${quoteName(column.name)} = true)` : undefined
}

/** The parts of a condition that all have to hold. */
export const conjuncts = (node: Node | undefined): readonly Node[] => {
  const logic = as(node, "BoolExpr")
  if (logic?.boolop === "AND_EXPR") return (logic.args ?? []).flatMap(conjuncts)
  return node ? [node] : []
}
