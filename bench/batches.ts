/** One million rows of ten columns, out of the store in batches of 256 arrays. */
import { createRequire } from "node:module"
import { join } from "node:path"
import type * as LanceDb from "@lancedb/lancedb"
import { openTable } from "../src/dataset/training/index.ts"
import type { Question } from "./harness.ts"
import { writeParquet } from "./inputs.ts"
import { ourTable, TEN } from "./tabular.ts"

const lancedb = createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb

const ROWS = 1_000_000
const COLUMNS = TEN.map((expression) => expression.split(" ").at(-1) ?? "")

/** What has been read is looked at, so that no variant gets away with reading nothing. */
const check = (rows: number, expected: number): void => {
  if (rows !== expected) throw new Error(`expected ${expected} rows, found ${rows}`)
}

const question: Question = {
  title: "batches: 1 M rows × 10, 256 at a time",
  prepare: async (folder) => {
    const file = join(folder, "rows.parquet")
    await writeParquet(file, TEN, ROWS)
    await ourTable(file, folder)
  },
  variants: {
    sluice: async (input) => {
      await using dataset = await openTable(input, "rows")
      let rows = 0
      for await (const { int_0 } of dataset.batches(256)) rows += int_0?.length ?? 0
      check(rows, ROWS)
    },
    "a bare scan": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("rows")
      let rows = 0
      for await (const record of table.query().select(COLUMNS)) rows += record.numRows
      check(rows, ROWS)
    },
    "ours, shuffled": async (input) => {
      await using dataset = await openTable(input, "rows")
      let rows = 0
      for await (const { int_0 } of dataset.batches(256, { shuffle: true, seed: 1 })) rows += int_0?.length ?? 0
      check(rows, ROWS)
    },
    "a thousandth of the rows, one at a time": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("rows")
      let rows = 0
      for (let row = 0; row < ROWS / 1000; row++) {
        rows += (await table.takeOffsets([row]).select(COLUMNS).toArray()).length
      }
      check(rows, ROWS / 1000)
    },
  },
  goals: { "a bare scan": 0.8, "a thousandth of the rows, one at a time": 0.01 },
}

export default question
