/** One million rows of ten columns, from the store to one Parquet file. */

import { createRequire } from "node:module"
import { join } from "node:path"
import {
  BIGINT,
  DOUBLE,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBVector,
  INTEGER,
  VARCHAR,
} from "@duckdb/node-api"
import type * as LanceDb from "@lancedb/lancedb"
import { exportParquet } from "../src/dataset/parquet.ts"
import type { Question } from "./harness.ts"
import { writeParquet } from "./inputs.ts"
import { ourTable, TEN } from "./tabular.ts"

const lancedb = createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb

const COLUMNS: readonly (readonly [name: string, type: DuckDBType])[] = [
  ["int_0", BIGINT],
  ["int_1", BIGINT],
  ["small_0", INTEGER],
  ["small_1", INTEGER],
  ...Array.from({ length: 5 }, (_, i) => [`float_${i}`, DOUBLE] as const),
  ["label", VARCHAR],
]
const CHUNK = 2048

interface Numbers extends DuckDBVector {
  readonly items: Int32Array | BigInt64Array | Float64Array
}

/** What one writes by hand: record batches into a table of DuckDB's, chunk by chunk, and one COPY. */
const bareExport = async (uri: string, output: string): Promise<void> => {
  const table = await (await lancedb.connect(uri)).openTable("rows")
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  await connection.run(`CREATE TABLE t (${COLUMNS.map(([name, type]) => `${name} ${type}`).join(", ")})`)
  const appender = await connection.createAppender("t")
  const types = COLUMNS.map(([, type]) => type)
  for await (const record of table.query().select(COLUMNS.map(([name]) => name))) {
    for (let start = 0; start < record.numRows; start += CHUNK) {
      const rows = Math.min(CHUNK, record.numRows - start)
      const chunk = DuckDBDataChunk.create(types, rows)
      for (const [index, [name, type]] of COLUMNS.entries()) {
        const column = record.getChild(name)?.slice(start, start + rows)
        if (!column) continue
        if (type === VARCHAR) chunk.setColumnValues(index, column.toArray())
        else {
          const vector = chunk.getColumnVector(index) as Numbers
          vector.items.set(column.toArray() as never)
          vector.flush()
        }
      }
      appender.appendDataChunk(chunk)
    }
  }
  appender.flushSync()
  await connection.run(`COPY t TO '${join(output, "rows.parquet")}' (FORMAT parquet, COMPRESSION zstd)`)
}

const question: Question = {
  title: "export: 1 M rows × 10 to Parquet",
  prepare: async (folder) => {
    const file = join(folder, "rows.parquet")
    await writeParquet(file, TEN, 1_000_000)
    await ourTable(file, folder)
  },
  variants: {
    sluice: (input, output) => exportParquet(input, "rows", join(output, "rows.parquet")),
    "a table of DuckDB's and COPY": bareExport,
  },
  goals: { "a table of DuckDB's and COPY": 0.9 },
}

export default question
