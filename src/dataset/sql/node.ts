/** Reading the parser's tree: a node is an object of one key, its kind. */
import type { A_Const, Node } from "libpg-query"
import type { Location } from "./source.ts"

export type Kind = Node extends infer N ? (N extends N ? keyof N : never) : never
export type NodeOf<K extends Kind> =
  Extract<Node, Readonly<Record<K, unknown>>> extends Readonly<Record<K, infer C>> ? C : never

export const kindOf = (node: Node): Kind => Object.keys(node)[0] as Kind

/** The node's content when it is of this kind. */
export const as = <K extends Kind>(node: Node | undefined, kind: K): NodeOf<K> | undefined =>
  (node as Readonly<Record<Kind, unknown>> | undefined)?.[kind] as NodeOf<K> | undefined

export const textOf = (node: Node | undefined): string | undefined => as(node, "String")?.sval

/** Names with dots between them, as in `pg_catalog.int4`. */
export const namesOf = (nodes: readonly Node[] | undefined): string[] => (nodes ?? []).map((node) => textOf(node) ?? "")

/** Where a node stands; those without a place of their own stand where the first one in them does. */
export const locationOf = (node: Node | undefined): Location => {
  if (!node) return undefined
  const content = Object.values(node)[0] as Record<string, unknown>
  if (typeof content.location === "number" && content.location >= 0) return content.location
  for (const value of Object.values(content)) {
    const [inner] = Array.isArray(value) ? value : [value]
    if (typeof inner !== "object" || inner === null) continue
    const found = locationOf(inner as Node)
    if (found !== undefined) return found
  }
  return undefined
}

/** Every node below, and this one; `visit` says whether to look into it. */
export const walk = (node: unknown, visit: (kind: string, content: object) => boolean): void => {
  if (typeof node !== "object" || node === null) return
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit)
    return
  }
  for (const [key, value] of Object.entries(node)) {
    if (typeof value !== "object" || value === null) continue
    // Kinds of nodes have capitals, fields have not.
    if (/^[A-Z]/.test(key) && !visit(key, value)) continue
    walk(value, visit)
  }
}

/** What stands for itself in a query, or is given with it. */
export type Constant = string | number | bigint | boolean | null

/** The value of a literal; integers that a number does not hold exactly are bigints. */
export const constantOf = (node: A_Const): Constant => {
  if (node.isnull) return null
  if (node.sval) return node.sval.sval ?? ""
  if (node.boolval) return node.boolval.boolval ?? false
  if (node.ival) return node.ival.ival ?? 0
  const digits = node.fval?.fval ?? ""
  if (!/^-?\d+$/.test(digits)) return Number(digits)
  return Number.isSafeInteger(Number(digits)) ? Number(digits) : BigInt(digits)
}
