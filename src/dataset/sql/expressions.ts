/** Expressions of PostgreSQL in the engine's SQL. What is not known here is refused: nothing passes by unseen. */
import type { A_Expr, A_Indices, ColumnRef, Node, SortBy, SubLink, TypeCast } from "libpg-query"
import { literal } from "../../readers/duckdb.ts"
import { type Context, mark } from "./context.ts"
import { functionCall } from "./function-calls.ts"
import { OPERATOR_FUNCTIONS, OPERATORS } from "./functions.ts"
import { as, type Constant, constantOf, kindOf, locationOf, type NodeOf, namesOf } from "./node.ts"
import { need, resolve, type Scope } from "./scope.ts"
import { hasScore, scoreAt } from "./scores.ts"
import { errorAt, type Location } from "./source.ts"
import { engineType } from "./type-names.ts"

export type Print = (node: Node | undefined) => string

/** A double, never a decimal: 0.1 is what it is in JavaScript. */
const double = (context: Context, value: number, location: Location): string => {
  if (Number.isFinite(value)) return `(${value.toExponential()})`
  throw errorAt(context.sql, location, "the number is out of range")
}

const constant = (context: Context, value: Constant, location: Location): string => {
  if (value === null) return "NULL"
  if (typeof value === "string") return literal(value)
  if (typeof value === "boolean") return String(value)
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return value < 0 ? `(${value})` : String(value)
  return double(context, value, location)
}

const column = (context: Context, ref: ColumnRef, scope: Scope | undefined): string =>
  `${mark(ref.location)}${need(resolve(context.sql, ref, scope)).sql}`

/** The text that a node stands for without being computed. */
const knownText = (context: Context, node: Node | undefined): string | undefined => {
  const fixed = as(node, "A_Const")
  const param = as(node, "ParamRef")
  const value = fixed ? constantOf(fixed) : param && context.valueOf(param.number ?? 0, param.location)
  return typeof value === "string" ? value : undefined
}

/** `{1,2}`, as PostgreSQL writes arrays, to `[1,2]`. Braces in quotes stay. */
const bracketed = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|[{}]/g, (part) => (part === "{" ? "[" : part === "}" ? "]" : part))

const cast = (context: Context, { arg, typeName = {}, location }: TypeCast, print: Print): string => {
  const { name, length } = engineType(context.sql, typeName)
  const text = knownText(context, arg)
  if (text !== undefined && name.endsWith("]") && /^\s*\{/.test(text)) {
    return `${mark(location)}CAST(${literal(bracketed(text))} AS ${name})`
  }
  if (text !== undefined && name === "BLOB") {
    return /^\\x([0-9a-f]{2})*$/i.test(text) ? `from_hex(${literal(text.slice(2))})` : `encode(${literal(text)})`
  }
  const made = `${mark(location)}CAST(${print(arg)} AS ${name})`
  return length === undefined ? made : `left(${made}, ${length})`
}

const listOf = (node: Node | undefined, print: Print): string[] => (as(node, "List")?.items ?? []).map(print)

/** PostgreSQL's own; the engine has none by itself. */
const ESCAPE = "'\\'"

const LIKE = { "~~": "", "!~~": "NOT ", "~~*": "", "!~~*": "NOT " } as const

const like = (name: string, how: "LIKE" | "ILIKE", expression: A_Expr, print: Print): string => {
  const negated = LIKE[name as keyof typeof LIKE] ?? ""
  // `x LIKE y ESCAPE z` comes as a function of y and z.
  const escaped = as(expression.rexpr, "FuncCall")
  const [pattern, by] = escaped && namesOf(escaped.funcname).at(-1) === "like_escape" ? (escaped.args ?? []) : []
  return `(${print(expression.lexpr)} ${negated}${how} ${print(pattern ?? expression.rexpr)} ESCAPE ${by ? print(by) : ESCAPE})`
}

const operator = (context: Context, name: string, expression: A_Expr, print: Print): string => {
  const { lexpr, rexpr, location } = expression
  if (!lexpr) {
    if (!/^[-+~]$/.test(name)) throw unknownOperator(context, name, location)
    return `(${mark(location)}${name} ${print(rexpr)})`
  }
  const call = Object.hasOwn(OPERATOR_FUNCTIONS, name) ? OPERATOR_FUNCTIONS[name] : undefined
  if (call) return `${mark(location)}${call(print(lexpr), print(rexpr))}`
  if (!OPERATORS.has(name)) throw unknownOperator(context, name, location)
  return `(${print(lexpr)} ${mark(location)}${name} ${print(rexpr)})`
}

const unknownOperator = (context: Context, name: string, location: Location) =>
  errorAt(context.sql, location, `the operator ${name} is not supported`)

const COMPARISON = /^(=|<>|<|<=|>|>=)$/

const binary = (context: Context, expression: A_Expr, print: Print): string => {
  const { kind, lexpr, rexpr, location } = expression
  const name = namesOf(expression.name).at(-1) ?? ""
  const left = (): string => print(lexpr)
  switch (kind) {
    case "AEXPR_OP":
      return operator(context, name, expression, print)
    case "AEXPR_OP_ANY":
    case "AEXPR_OP_ALL":
      if (!COMPARISON.test(name)) throw unknownOperator(context, name, location)
      return `(${left()} ${mark(location)}${name} ${kind === "AEXPR_OP_ANY" ? "ANY" : "ALL"}(${print(rexpr)}))`
    case "AEXPR_DISTINCT":
      return `(${left()} IS DISTINCT FROM ${print(rexpr)})`
    case "AEXPR_NOT_DISTINCT":
      return `(${left()} IS NOT DISTINCT FROM ${print(rexpr)})`
    case "AEXPR_NULLIF":
      return `nullif(${left()}, ${print(rexpr)})`
    case "AEXPR_IN":
      return `(${left()} ${mark(location)}${name === "<>" ? "NOT " : ""}IN (${listOf(rexpr, print).join(", ")}))`
    case "AEXPR_LIKE":
      return like(name, "LIKE", expression, print)
    case "AEXPR_ILIKE":
      return like(name, "ILIKE", expression, print)
    case "AEXPR_BETWEEN":
    case "AEXPR_NOT_BETWEEN": {
      const [low, high] = listOf(rexpr, print)
      return `(${left()} ${mark(location)}${kind === "AEXPR_BETWEEN" ? "" : "NOT "}BETWEEN ${low} AND ${high})`
    }
    default:
      throw errorAt(context.sql, location, `${name} is not supported`)
  }
}

const subLink = (context: Context, link: SubLink, print: Print, scope: Scope | undefined): string => {
  const select = as(link.subselect, "SelectStmt")
  if (!select) throw errorAt(context.sql, link.location, "expected a SELECT in parentheses")
  const { text } = context.subquery(select, scope)
  const name = namesOf(link.operName).at(-1)
  switch (link.subLinkType) {
    case "EXISTS_SUBLINK":
      return `EXISTS (${text})`
    case "EXPR_SUBLINK":
      return `(${text})`
    case "ARRAY_SUBLINK":
      return `ARRAY(${text})`
    case "ANY_SUBLINK":
      if (name === undefined) return `(${print(link.testexpr)} IN (${text}))`
      if (COMPARISON.test(name)) return `(${print(link.testexpr)} ${name} ANY (${text}))`
      break
    case "ALL_SUBLINK":
      if (name !== undefined && COMPARISON.test(name)) return `(${print(link.testexpr)} ${name} ALL (${text}))`
      break
  }
  throw errorAt(context.sql, link.location, "this kind of subquery is not supported")
}

const subscript = ({ is_slice, lidx, uidx }: A_Indices, print: Print): string =>
  is_slice ? `[${lidx ? print(lidx) : ""}:${uidx ? print(uidx) : ""}]` : `[${print(uidx)}]`

const VALUES: Readonly<Record<string, string>> = {
  SVFOP_CURRENT_DATE: "current_date",
  SVFOP_CURRENT_TIMESTAMP: "now()",
  SVFOP_LOCALTIMESTAMP: "CAST(now() AS TIMESTAMP)",
}

const JOINED = { AND_EXPR: " AND ", OR_EXPR: " OR " } as const

type Printers = {
  readonly [K in "A_Const" | "BoolExpr" | "CaseExpr" | "BooleanTest" | "A_Indirection" | "SQLValueFunction"]: (
    context: Context,
    node: NodeOf<K>,
    print: Print,
  ) => string
}

const printers: Printers = {
  A_Const: (context, node) => {
    const value = constantOf(node)
    // `2.0` is no integer, and what is divided by it is not either.
    return typeof value === "number" && /\D/.test(node.fval?.fval ?? "")
      ? double(context, value, node.location)
      : constant(context, value, node.location)
  },
  BoolExpr: (_, { boolop, args = [] }, print) => {
    if (boolop === "NOT_EXPR") return `(NOT ${print(args[0])})`
    return `(${args.map(print).join(JOINED[boolop === "OR_EXPR" ? "OR_EXPR" : "AND_EXPR"])})`
  },
  CaseExpr: (_, { arg, args = [], defresult }, print) => {
    const whens = args.flatMap((one) => {
      const when = as(one, "CaseWhen")
      return when ? [` WHEN ${print(when.expr)} THEN ${print(when.result)}`] : []
    })
    return `CASE${arg ? ` ${print(arg)}` : ""}${whens.join("")}${defresult ? ` ELSE ${print(defresult)}` : ""} END`
  },
  BooleanTest: (_, { arg, booltesttype = "IS_TRUE" }, print) => {
    const test = booltesttype.replaceAll("_", " ").replace("UNKNOWN", "NULL")
    return `(CAST(${print(arg)} AS BOOLEAN) ${test})`
  },
  A_Indirection: (context, node, print) => {
    const steps = (node.indirection ?? []).map((step) => {
      const indices = as(step, "A_Indices")
      if (!indices) throw errorAt(context.sql, locationOf(node.arg), "fields of rows are not supported")
      return subscript(indices, print)
    })
    return `(${print(node.arg)})${steps.join("")}`
  },
  SQLValueFunction: ({ sql }, { op = "", location }) => {
    const value = VALUES[op.replace(/_N$/, "")]
    if (value === undefined) throw errorAt(sql, location, "this value is not supported")
    return value
  },
}

/** Prints expressions as they are meant in a scope. */
export const printerFor = (context: Context, scope: Scope | undefined): Print => {
  const print: Print = (node) => {
    if (!node) throw errorAt(context.sql, undefined, "expected an expression, found nothing")
    const kind = kindOf(node)
    const of = <K extends Parameters<typeof as>[1]>(wanted: K): NodeOf<K> => as(node, wanted) as NodeOf<K>
    switch (kind) {
      case "A_Const":
        return printers.A_Const(context, of("A_Const"), print)
      case "BoolExpr":
        return printers.BoolExpr(context, of("BoolExpr"), print)
      case "CaseExpr":
        return printers.CaseExpr(context, of("CaseExpr"), print)
      case "BooleanTest":
        return printers.BooleanTest(context, of("BooleanTest"), print)
      case "A_Indirection":
        return printers.A_Indirection(context, of("A_Indirection"), print)
      case "SQLValueFunction":
        return printers.SQLValueFunction(context, of("SQLValueFunction"), print)
      case "ColumnRef":
        return column(context, of("ColumnRef"), scope)
      case "ParamRef": {
        const { number = 0, location } = of("ParamRef")
        return context.param(number, location)
      }
      case "A_Expr": {
        const found = scoreAt(context, node, scope)
        if (!found) return binary(context, of("A_Expr"), print)
        found.score.needed = true
        return found.sql
      }
      case "TypeCast":
        return cast(context, of("TypeCast"), print)
      case "NullTest": {
        const { arg, nulltesttype } = of("NullTest")
        return `(${print(arg)} IS ${nulltesttype === "IS_NOT_NULL" ? "NOT " : ""}NULL)`
      }
      case "CoalesceExpr":
        return `coalesce(${(of("CoalesceExpr").args ?? []).map(print).join(", ")})`
      case "MinMaxExpr": {
        const { op, args = [] } = of("MinMaxExpr")
        return `${op === "IS_LEAST" ? "least" : "greatest"}(${args.map(print).join(", ")})`
      }
      case "A_ArrayExpr":
        return `[${(of("A_ArrayExpr").elements ?? []).map(print).join(", ")}]`
      case "RowExpr":
        return `(${(of("RowExpr").args ?? []).map(print).join(", ")})`
      case "SubLink":
        return subLink(context, of("SubLink"), print, scope)
      case "FuncCall":
        return functionCall(context, of("FuncCall"), print, { sort, isBytes })
      case "GroupingFunc":
        return `grouping(${(of("GroupingFunc").args ?? []).map(print).join(", ")})`
      default:
        throw errorAt(context.sql, locationOf(node), `${kind} is not supported in a query`)
    }
  }
  const sort = (items: readonly Node[] | undefined): string =>
    printSort(items, print, (key) => hasScore(context, key, scope))
  /** Whether it is a column of bytes, of which some functions have names of their own. */
  const isBytes = (node: Node | undefined): boolean => {
    const ref = as(node, "ColumnRef")
    return ref !== undefined && resolve(context.sql, ref, scope).holds === "bytes"
  }
  return print
}

const DIRECTION: Readonly<Record<string, string>> = { SORTBY_ASC: " ASC", SORTBY_DESC: " DESC" }
const NULLS: Readonly<Record<string, string>> = { SORTBY_NULLS_FIRST: " NULLS FIRST", SORTBY_NULLS_LAST: " NULLS LAST" }

/** The keys of an ORDER BY. The engine sorts nulls as PostgreSQL does; but what has no score is never the best. */
export const printSort = (
  items: readonly Node[] | undefined,
  print: Print,
  isScore: (key: Node | undefined) => boolean,
): string =>
  (items ?? [])
    .map((item) => {
      const { node, sortby_dir = "", sortby_nulls = "" } = as(item, "SortBy") ?? ({} as SortBy)
      const nulls = NULLS[sortby_nulls] ?? (isScore(node) ? NULLS.SORTBY_NULLS_LAST : "")
      return `${print(node)}${DIRECTION[sortby_dir] ?? ""}${nulls}`
    })
    .join(", ")
