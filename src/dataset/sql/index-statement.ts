/** CREATE INDEX ... USING deeplake_index (column) [WITH (index_type = '...')]: what `createIndex` does. */
import type { IndexStmt } from "libpg-query"
import type { IndexType } from "../../store/indexes.ts"
import { createIndex } from "../indexes.ts"
import type { Statement } from "./changed-rows.ts"
import { as } from "./node.ts"
import { noRows, type QueryResult } from "./query.ts"
import { errorAt } from "./source.ts"

/** `exact_text` finds texts as a whole; the others go by the store's names. */
const TYPES: Readonly<Record<string, IndexType>> = {
  bm25: "BM25",
  exact_text: "BTREE",
  btree: "BTREE",
  bitmap: "BITMAP",
  ivf_flat: "IVF_FLAT",
}

/** The type that WITH asks for; undefined where the column's own will do. */
const typeOf = (sql: string, { options = [] }: IndexStmt): IndexType | undefined => {
  let type: IndexType | undefined
  for (const node of options) {
    const { defname = "", arg, location } = as(node, "DefElem") ?? {}
    if (defname !== "index_type") throw errorAt(sql, location, `there is no option ${defname}; there is index_type`)
    const name = as(arg, "String")?.sval ?? as(as(arg, "TypeName")?.names?.at(-1), "String")?.sval ?? ""
    type = TYPES[name.toLowerCase()]
    if (type === undefined) {
      const known = Object.keys(TYPES).join(", ")
      throw errorAt(sql, location, `index_type: expected ${known}, found ${JSON.stringify(name)}`)
    }
  }
  return type
}

/** @throws {TableError} "Index creation failed"; and for what an index here cannot be. */
export const indexStatement = async ({ uri, sql }: Statement, node: IndexStmt): Promise<QueryResult> => {
  const { relation, accessMethod, indexParams = [], whereClause, unique } = node
  const [first, second] = indexParams
  const column = as(first, "IndexElem")?.name
  if (accessMethod !== "deeplake_index" || whereClause || unique || second || column === undefined) {
    throw errorAt(sql, relation?.location, "expected CREATE INDEX ON table USING deeplake_index (column)")
  }
  const type = typeOf(sql, node)
  await createIndex(uri, relation?.relname ?? "", column, type && { type })
  return noRows()
}
