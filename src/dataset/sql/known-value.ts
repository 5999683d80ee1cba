/** Values that stand in a query, or are given with it, and so are known before it runs. */
import type { Node, TypeCast } from "libpg-query"
import type { Context } from "./context.ts"
import { as, type Constant, constantOf, namesOf } from "./node.ts"
import type { Param } from "./params.ts"

export type Known = Constant | Param | readonly Known[]

/** Casts to these leave a value what it is. */
const PLAIN = /^(float4|float8|float32|float64|numeric|text|varchar|bpchar)$/

/** `{1,2}`, as PostgreSQL writes arrays, and `[1,2]`; undefined for what is no array of numbers. */
export const arrayOf = (text: string): Known | undefined => {
  if (!/^\s*[{[]/.test(text)) return undefined
  try {
    return JSON.parse(text.replaceAll("{", "[").replaceAll("}", "]")) as Known
  } catch {
    // It is said where the value is used, with what was expected there.
    return undefined
  }
}

const cast = (context: Context, { arg, typeName }: TypeCast): Known | undefined => {
  if (!PLAIN.test(namesOf(typeName?.names).at(-1) ?? "")) return undefined
  const value = knownValue(context, arg)
  return typeof value === "string" && typeName?.arrayBounds ? (arrayOf(value) ?? value) : value
}

/** Undefined for what has to be computed. */
export const knownValue = (context: Context, node: Node | undefined): Known | undefined => {
  const fixed = as(node, "A_Const")
  if (fixed) return constantOf(fixed)
  const given = as(node, "ParamRef")
  if (given) return context.valueOf(given.number ?? 0, given.location) ?? null
  const typed = as(node, "TypeCast")
  if (typed) return cast(context, typed)
  const signed = as(node, "A_Expr")
  if (signed && !signed.lexpr && namesOf(signed.name).at(-1) === "-") {
    const value = knownValue(context, signed.rexpr)
    return typeof value === "number" ? -value : undefined
  }
  const array = as(node, "A_ArrayExpr")
  if (!array) return undefined
  const elements: Known[] = []
  for (const element of array.elements ?? []) {
    const value = knownValue(context, element)
    if (value === undefined) return undefined
    elements.push(value)
  }
  return elements
}
