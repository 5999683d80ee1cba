/** One million rows of ten columns in a Parquet file. */
import { join } from "node:path"
import { DuckDBInstance } from "@duckdb/node-api"
import { Tabular } from "../src/formats/tabular/tabular.ts"
import { formatPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { type Cells, openBare } from "./bare.ts"
import type { Question } from "./harness.ts"
import { type TableShape, writeParquet } from "./inputs.ts"

export const TEN: TableShape = [
  ...Array.from({ length: 2 }, (_, i) => `(i * ${i + 1})::BIGINT AS int_${i}`),
  ...Array.from({ length: 2 }, (_, i) => `(i % ${i + 1000})::INTEGER AS small_${i}`),
  ...Array.from({ length: 5 }, (_, i) => `sin(i + ${i}) AS float_${i}`),
  "'label ' || (i % 1000) AS label",
]

/** A vector's values, copied out of the chunk that they belong to. */
const valuesOf = (vector: { readonly items?: unknown; toArray(): readonly unknown[] }): Cells[string] =>
  ArrayBuffer.isView(vector.items) ? (vector.items as Int32Array).slice() : (vector.toArray() as readonly string[])

/** DuckDB's vectors as typed arrays, one `add` for each chunk of 2,048 rows. */
export const bareTable = async (file: string, output: string): Promise<void> => {
  const add = await openBare(output)
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  const result = await connection.stream(`SELECT * FROM read_parquet('${file}')`)
  const names = result.columnNames()
  for await (const chunk of result) {
    await add(Object.fromEntries(names.map((name, index) => [name, valuesOf(chunk.getColumnVector(index))])))
  }
}

export const ourTable = (path: string, output: string): Promise<unknown> =>
  run(formatPlan({ name: "tabular", format: new Tabular({ path }), sink: lance({ uri: output, table: "rows" }) }))

const question: Question = {
  title: "tabular: 1 M rows × 10 of Parquet, a commit every 2,000",
  prepare: (folder) => writeParquet(join(folder, "rows.parquet"), TEN, 1_000_000),
  variants: {
    sluice: (input, output) => ourTable(join(input, "rows.parquet"), output),
    bare: (input, output) => bareTable(join(input, "rows.parquet"), output),
  },
  goals: { bare: 0.8 },
}

export default question
