/** Values that are fetched by the ids of their rows, once it is known which rows are in the result. */
import { type Value, valueAt } from "../../model/column.ts"
import { layoutOf } from "../../model/types.ts"
import { fromRecordBatch } from "../../store/arrow.ts"
import { fetchColumn } from "../../store/scan.ts"
import type { OpenTable } from "../open.ts"
import { plainValue } from "../scan.ts"
import type { Cells, QueryValue } from "./result.ts"

const light = async (open: OpenTable, name: string, ids: readonly bigint[]): Promise<Map<bigint, Value>> => {
  const found = new Map<bigint, Value>()
  for await (const record of open.table
    .takeRowIds([...ids])
    .select([name])
    .withRowId()) {
    const column = fromRecordBatch(record).columns.get(name)
    const rowIds = record.getChild("_rowid")
    for (let row = 0; row < record.numRows; row++) {
      found.set(rowIds?.get(row), column ? plainValue(valueAt(column, row)) : null)
    }
  }
  return found
}

const heavy = async (open: OpenTable, name: string, ids: readonly bigint[]): Promise<Map<bigint, Value>> => {
  const type = open.schema.get(name) ?? { name: "BINARY" }
  const values = await fetchColumn(open.table, [name, type], ids)
  return new Map(ids.map((id, index) => [id, values[index] ?? null]))
}

/** The column's values in the rows whose ids stand in `cells`; null where there is none. */
export const fetchLate = async (open: OpenTable, name: string, rows: number, cells: Cells): Promise<Cells> => {
  const wanted = Array.from({ length: rows }, (_, row) => {
    const id = cells(row)
    return id === null ? undefined : BigInt(id as number | bigint)
  })
  const ids = [...new Set(wanted.flatMap((id) => (id === undefined ? [] : [id])))]
  const type = open.schema.get(name)
  const fetched =
    ids.length === 0
      ? new Map<bigint, Value>()
      : await (type && layoutOf(type) === "bytes" ? heavy : light)(open, name, ids)
  return (row): QueryValue => {
    const id = wanted[row]
    return id === undefined ? null : (fetched.get(id) ?? null)
  }
}
