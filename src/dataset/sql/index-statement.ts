/** CREATE INDEX ... USING deeplake_index (column): what `createIndex` does. */
import type { IndexStmt, Node } from "libpg-query"
import type { IndexOptions, IndexType } from "../../store/indexes.ts"
import { createIndex } from "../indexes.ts"
import type { Statement } from "./changed-rows.ts"
import { as, namesOf, textOf } from "./node.ts"
import { noRows, type QueryResult } from "./query.ts"
import { errorAt } from "./source.ts"

/** Values of `index_type`: those of the SDK that Sluice re-creates, and our own names. */
const TYPES: Readonly<Record<string, IndexType>> = {
  bm25: "BM25",
  inverted_index: "BM25",
  exact_text: "BTREE",
  clustered: "IVF_FLAT",
  ivf_flat: "IVF_FLAT",
  btree: "BTREE",
  bitmap: "BITMAP",
}

const optionsOf = (sql: string, nodes: readonly Node[]): IndexOptions => {
  let options: IndexOptions = {}
  for (const node of nodes) {
    const { defname = "", arg, location } = as(node, "DefElem") ?? {}
    if (defname !== "index_type") {
      throw errorAt(sql, location, `WITH: expected index_type, found ${JSON.stringify(defname)}`)
    }
    // Without quotes it is parsed as the name of a type.
    const given = textOf(arg) ?? namesOf(as(arg, "TypeName")?.names).at(-1) ?? ""
    const type = Object.hasOwn(TYPES, given.toLowerCase()) ? TYPES[given.toLowerCase()] : undefined
    if (!type) {
      const known = Object.keys(TYPES).join(", ")
      throw errorAt(sql, location, `index_type: expected one of ${known}, found ${JSON.stringify(given)}`)
    }
    options = { type }
  }
  return options
}

/** @throws {TableError} "Index creation failed"; and for what an index here cannot be. */
export const indexStatement = async ({ uri, sql }: Statement, node: IndexStmt): Promise<QueryResult> => {
  const { relation, accessMethod, indexParams = [], options = [], whereClause, unique } = node
  const [first, second] = indexParams
  const column = as(first, "IndexElem")?.name
  if (accessMethod !== "deeplake_index" || whereClause || unique || second || column === undefined) {
    throw errorAt(sql, relation?.location, "expected CREATE INDEX ON table USING deeplake_index (column)")
  }
  await createIndex(uri, relation?.relname ?? "", column, optionsOf(sql, options))
  return noRows()
}
