/** CREATE INDEX ... USING deeplake_index (column): what `createIndex` does. */
import type { IndexStmt } from "libpg-query"
import { createIndex } from "../indexes.ts"
import type { Statement } from "./changed-rows.ts"
import { as } from "./node.ts"
import { noRows, type QueryResult } from "./query.ts"
import { errorAt } from "./source.ts"

/** @throws {TableError} "Index creation failed"; and for what an index here cannot be. */
export const indexStatement = async ({ uri, sql }: Statement, node: IndexStmt): Promise<QueryResult> => {
  const { relation, accessMethod, indexParams = [], whereClause, unique } = node
  const [first, second] = indexParams
  const column = as(first, "IndexElem")?.name
  if (accessMethod !== "deeplake_index" || whereClause || unique || second || column === undefined) {
    throw errorAt(sql, relation?.location, "expected CREATE INDEX ON table USING deeplake_index (column)")
  }
  await createIndex(uri, relation?.relname ?? "", column)
  return noRows()
}
