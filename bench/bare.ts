/** What one writes by hand around the store: rows to Arrow by typed arrays, one `add` for each commit. */
import { createRequire } from "node:module"
import type * as LanceDb from "@lancedb/lancedb"
import type * as Arrow from "apache-arrow"

const require = createRequire(import.meta.url)
const arrow = require("apache-arrow") as typeof Arrow
const lancedb = require("@lancedb/lancedb") as typeof LanceDb

export type Cells = {
  readonly [column: string]:
    | readonly string[]
    | readonly Uint8Array[]
    | Int32Array
    | BigInt64Array
    | Float32Array
    | Float64Array
    | Vectors
}

/** `size` floats a row. */
export interface Vectors {
  readonly size: number
  readonly floats: Float32Array
}

const variable = (type: Arrow.DataType, values: readonly Uint8Array[]): Arrow.Data => {
  const offsets = new Int32Array(values.length + 1)
  for (let i = 0; i < values.length; i++) offsets[i + 1] = (offsets[i] ?? 0) + (values[i]?.length ?? 0)
  return arrow.makeData({
    type,
    length: values.length,
    nullCount: 0,
    valueOffsets: offsets,
    data: Buffer.concat(values),
  } as never)
}

const toVectors = ({ size, floats }: Vectors): Arrow.Data => {
  const item = new arrow.Field("item", new arrow.Float32(), true)
  const child = arrow.makeData({ type: item.type, length: floats.length, nullCount: 0, data: floats })
  const type = new arrow.FixedSizeList(size, item)
  return arrow.makeData({ type, length: floats.length / size, nullCount: 0, child })
}

const toData = (values: Cells[string]): Arrow.Data => {
  if ("floats" in values) return toVectors(values)
  if (values instanceof Int32Array)
    return arrow.makeData({ type: new arrow.Int32(), length: values.length, nullCount: 0, data: values })
  if (values instanceof BigInt64Array)
    return arrow.makeData({ type: new arrow.Int64(), length: values.length, nullCount: 0, data: values })
  if (values instanceof Float32Array)
    return arrow.makeData({ type: new arrow.Float32(), length: values.length, nullCount: 0, data: values })
  if (values instanceof Float64Array)
    return arrow.makeData({ type: new arrow.Float64(), length: values.length, nullCount: 0, data: values })
  if (typeof values[0] === "string") {
    const offsets = new Int32Array(values.length + 1)
    for (let i = 0; i < values.length; i++) offsets[i + 1] = (offsets[i] ?? 0) + Buffer.byteLength(values[i] as string)
    const data = Buffer.from((values as readonly string[]).join(""))
    return arrow.makeData({
      type: new arrow.Utf8(),
      length: values.length,
      nullCount: 0,
      valueOffsets: offsets,
      data,
    } as never)
  }
  return variable(new arrow.Binary(), values as readonly Uint8Array[])
}

export const toTable = (cells: Cells): Arrow.Table => {
  const columns = Object.entries(cells).map(([name, values]) => ({ name, data: toData(values) }))
  const schema = new arrow.Schema(columns.map(({ name, data }) => new arrow.Field(name, data.type, true)))
  const children = columns.map(({ data }) => data)
  const length = children[0]?.length ?? 0
  const struct = arrow.makeData({ type: new arrow.Struct(schema.fields), length, nullCount: 0, children })
  return new arrow.Table(schema, [new arrow.RecordBatch(schema, struct)])
}

/** A function that adds rows to a new table, made with the first of them. */
export const openBare = async (folder: string): Promise<(cells: Cells) => Promise<void>> => {
  const db = await lancedb.connect(folder, { session: new lancedb.Session(64n << 20n, 16n << 20n) })
  let table: LanceDb.Table | undefined
  return async (cells) => {
    const rows = toTable(cells)
    if (table) await table.add(rows)
    else table = await db.createTable("bare", rows)
  }
}
