/** Which part of a condition the store looks at, and which is left for the engine. */
import type { Node } from "libpg-query"
import type { Context } from "./context.ts"
import { conjuncts, storeFilter } from "./filter.ts"
import type { FromPart } from "./from.ts"
import { as, locationOf } from "./node.ts"
import { resolve, type Scope } from "./scope.ts"

/** Gives the scans those parts of WHERE that the store can look at, and returns the others. */
export const pushFilter = (context: Context, where: Node | undefined, from: FromPart, scope: Scope): readonly Node[] =>
  conjuncts(where).filter(
    (term) =>
      !from.filterable.some((scan) => {
        const filter = storeFilter(
          {
            column: (node) => {
              const ref = as(node, "ColumnRef")
              const slot = ref && resolve(context.sql, ref, scope)
              if (!slot?.stored || slot.stored.scan !== scan || /[.`]/.test(slot.name)) return undefined
              return { name: slot.name, type: slot.stored.type }
            },
            param: (number) => context.valueOf(number, locationOf(term)),
          },
          term,
        )
        if (filter === undefined) return false
        scan.where = scan.where === undefined ? filter : `${scan.where} AND ${filter}`
        return true
      }),
  )
