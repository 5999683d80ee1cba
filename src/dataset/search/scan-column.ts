/** One column of the rows that a condition leaves, with their row ids. */
import type { RecordBatch } from "apache-arrow"
import type { Column } from "../../model/column.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { type OpenTable, queryWhere } from "../open.ts"

/** A number a row, of a column that comes with the query. */
export const numbersOf = (record: RecordBatch, name: "_score" | "_distance"): Float32Array =>
  (record.getChild(name)?.toArray() as Float32Array | undefined) ?? new Float32Array(0)

export const rowIdsOf = (record: RecordBatch): BigUint64Array =>
  (record.getChild("_rowid")?.toArray() as BigUint64Array | undefined) ?? new BigUint64Array(0)

export interface ColumnPart {
  readonly ids: BigUint64Array
  readonly column: Column
}

/** In table order, a thousand rows or so at a time. */
export async function* scanColumn(
  open: OpenTable,
  column: string,
  filter: string | undefined,
): AsyncGenerator<ColumnPart> {
  const query = (await queryWhere(open, filter)).select([column]).withRowId()
  for await (const record of query) {
    const found = fromRecordBatch(record).columns.get(column)
    if (found) yield { ids: rowIdsOf(record), column: found }
  }
}
