/**
 * Conditions of a query in the store's SQL, so far as they mean the same there. What is left out is looked at by the
 * engine; but where all of a query's condition can be put so, there is no need for the engine.
 *
 * Where the two differ: the store compares floats by their bits, so that NaN of either sign is not always the largest;
 * it rounds numbers to the width of a FLOAT32 column; it refuses numbers beyond the range of an integer column; and where
 * a column has an index, a NOT around several conditions finds rows with nulls, too. So no NOT is left around anything: it
 * goes down to the single conditions, and those that are negative say that there has to be a value.
 */
import type { A_Expr, BoolTestType, Node } from "libpg-query"
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
const NEGATED: Readonly<Record<Comparison, Comparison>> = {
  "=": "<>",
  "<>": "=",
  "<": ">=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
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

/** For conditions that hold where something else does not: nulls are no such rows. */
const withValue = (column: string, condition: string): string => `(${condition} AND ${column} IS NOT NULL)`

const compared = (column: StoredColumn, operator: Comparison, value: Constant): string | undefined => {
  const plain = comparedPlain(column, operator, value)
  return plain !== undefined && operator === "<>" ? withValue(quoteName(column.name), plain) : plain
}

const comparedPlain = ({ name, type }: StoredColumn, operator: Comparison, value: Constant): string | undefined => {
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

const member = (context: FilterContext, { lexpr, rexpr }: A_Expr, negated: boolean): string | undefined => {
  const column = context.column(lexpr)
  if (!column) return undefined
  const layout = layoutOf(column.type)
  const values = items(rexpr).map((node) => constant(context, node))
  if (layout === "float32" || layout === "float64") {
    if (values.length > MAX_FLOATS) return undefined
    const operator = negated ? "<>" : "="
    const terms = values.map((value) => (value === undefined ? undefined : compared(column, operator, value)))
    return terms.includes(undefined) ? undefined : `(${terms.join(negated ? " AND " : " OR ")})`
  }
  const literals = values.map((value) => {
    if (value === undefined || value === null) return undefined
    if (layout === "utf8") return typeof value === "string" ? quoteText(value) : undefined
    return INT_RANGE[layout] === undefined ? undefined : integer(value, layout)
  })
  if (literals.includes(undefined)) return undefined
  const name = quoteName(column.name)
  const list = literals.join(", ")
  return negated ? withValue(name, `${name} NOT IN (${list})`) : `(${name} IN (${list}))`
}

const between = (context: FilterContext, { lexpr, rexpr }: A_Expr, negated: boolean): string | undefined => {
  const column = context.column(lexpr)
  const [low, high] = items(rexpr).map((node) => constant(context, node))
  if (!column || low === undefined || high === undefined || low === null || high === null) return undefined
  const from = compared(column, negated ? "<" : ">=", low)
  const to = compared(column, negated ? ">" : "<=", high)
  return from === undefined || to === undefined ? undefined : `(${from} ${negated ? "OR" : "AND"} ${to})`
}

const like = (context: FilterContext, { lexpr, rexpr }: A_Expr, negated: boolean): string | undefined => {
  const column = context.column(lexpr)
  const pattern = constant(context, rexpr)
  if (!column || layoutOf(column.type) !== "utf8" || typeof pattern !== "string" || pattern.includes("\\")) {
    return undefined
  }
  const name = quoteName(column.name)
  const text = quoteText(pattern)
  return negated ? withValue(name, `${name} NOT LIKE ${text}`) : `(${name} LIKE ${text})`
}

const expression = (context: FilterContext, node: A_Expr, negated: boolean): string | undefined => {
  const operator = namesOf(node.name).at(-1) ?? ""
  switch (node.kind) {
    case "AEXPR_OP": {
      if (!COMPARISONS.includes(operator)) return undefined
      const plain = operator as Comparison
      return comparison(context, node, negated ? NEGATED[plain] : plain)
    }
    case "AEXPR_IN":
      return member(context, node, negated !== (operator === "<>"))
    case "AEXPR_LIKE":
      return like(context, node, negated !== (operator === "!~~"))
    case "AEXPR_BETWEEN":
      return between(context, node, negated)
    case "AEXPR_NOT_BETWEEN":
      return between(context, node, !negated)
    default:
      return undefined
  }
}

const TRUTH: Readonly<Record<BoolTestType, (column: string) => string>> = {
  IS_TRUE: (b) => `(${b} = true)`,
  IS_NOT_TRUE: (b) => `(${b} = false OR ${b} IS NULL)`,
  IS_FALSE: (b) => `(${b} = false)`,
  IS_NOT_FALSE: (b) => `(${b} = true OR ${b} IS NULL)`,
  IS_UNKNOWN: (b) => `(${b} IS NULL)`,
  IS_NOT_UNKNOWN: (b) => `(${b} IS NOT NULL)`,
}
const OPPOSITE: Readonly<Record<BoolTestType, BoolTestType>> = {
  IS_TRUE: "IS_NOT_TRUE",
  IS_NOT_TRUE: "IS_TRUE",
  IS_FALSE: "IS_NOT_FALSE",
  IS_NOT_FALSE: "IS_FALSE",
  IS_UNKNOWN: "IS_NOT_UNKNOWN",
  IS_NOT_UNKNOWN: "IS_UNKNOWN",
}

/**
 * The whole condition, or its opposite, in the store's SQL; undefined where a part of it cannot be put so. It holds for
 * the same rows; where the condition is null it may be false.
 */
export const storeFilter = (context: FilterContext, node: Node | undefined, negated = false): string | undefined => {
  const logic = as(node, "BoolExpr")
  if (logic) {
    if (logic.boolop === "NOT_EXPR") return storeFilter(context, logic.args?.[0], !negated)
    const terms = (logic.args ?? []).map((term) => storeFilter(context, term, negated))
    if (terms.includes(undefined)) return undefined
    return `(${terms.join((logic.boolop === "OR_EXPR") !== negated ? " OR " : " AND ")})`
  }
  const test = as(node, "NullTest")
  if (test) {
    const column = context.column(test.arg)
    if (!column || column.type.blob) return undefined
    const wanted = (test.nulltesttype === "IS_NOT_NULL") !== negated
    return `(${quoteName(column.name)} IS ${wanted ? "NOT " : ""}NULL)`
  }
  const truth = as(node, "BooleanTest")
  if (truth) {
    const column = context.column(truth.arg)
    const asked = truth.booltesttype ?? "IS_TRUE"
    return column?.type.name === "BOOL" ? TRUTH[negated ? OPPOSITE[asked] : asked](quoteName(column.name)) : undefined
  }
  const fixed = as(node, "A_Const")
  if (fixed) {
    const value = constantOf(fixed)
    return typeof value === "boolean" ? `${value !== negated}` : undefined
  }
  const own = as(node, "A_Expr")
  if (own) return expression(context, own, negated)
  const column = context.column(node)
  return column?.type.name === "BOOL" ? `(${quoteName(column.name)} = ${!negated})` : undefined
}

/** The parts of a condition that all have to hold. */
export const conjuncts = (node: Node | undefined): readonly Node[] => {
  const logic = as(node, "BoolExpr")
  if (logic?.boolop === "AND_EXPR") return (logic.args ?? []).flatMap(conjuncts)
  return node ? [node] : []
}
