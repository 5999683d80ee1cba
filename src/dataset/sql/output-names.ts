/** The name that PostgreSQL gives to a column of a result. */
import type { Node } from "libpg-query"
import { as, kindOf, namesOf } from "./node.ts"

const FIXED: Readonly<Record<string, string>> = {
  A_ArrayExpr: "array",
  CaseExpr: "case",
  CoalesceExpr: "coalesce",
  GroupingFunc: "grouping",
  RowExpr: "row",
}

const naturalName = (node: Node | undefined): string | undefined => {
  if (!node) return undefined
  const call = as(node, "FuncCall")
  if (call) return namesOf(call.funcname).at(-1)
  const cast = as(node, "TypeCast")
  if (cast) return naturalName(cast.arg) ?? namesOf(cast.typeName?.names).at(-1)
  const ref = as(node, "ColumnRef")
  if (ref) return namesOf(ref.fields).at(-1)
  const path = as(node, "A_Indirection")
  if (path) return naturalName(path.arg)
  const extreme = as(node, "MinMaxExpr")
  if (extreme) return extreme.op === "IS_LEAST" ? "least" : "greatest"
  const value = as(node, "SQLValueFunction")
  if (value) return value.op?.replace(/^SVFOP_|_N$/g, "").toLowerCase()
  const operation = as(node, "A_Expr")
  if (operation) return operation.kind === "AEXPR_NULLIF" ? "nullif" : undefined
  const link = as(node, "SubLink")
  if (link?.subLinkType === "EXISTS_SUBLINK") return "exists"
  if (link?.subLinkType === "ARRAY_SUBLINK") return "array"
  if (link?.subLinkType === "EXPR_SUBLINK") {
    const [target] = as(link.subselect, "SelectStmt")?.targetList ?? []
    const result = as(target, "ResTarget")
    return result?.name ?? naturalName(result?.val)
  }
  return FIXED[kindOf(node)]
}

export const outputName = (node: Node): string => naturalName(node) ?? "?column?"
