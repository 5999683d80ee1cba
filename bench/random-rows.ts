/** A hundred rows from anywhere, each with two values of 200 KB: one beside the other columns, one out of line. */
import { createRequire } from "node:module"
import type * as LanceDb from "@lancedb/lancedb"
import { Client } from "../src/client.ts"
import { openTable } from "../src/dataset/training/index.ts"
import { dice } from "../src/model/dice.ts"
import type { Question } from "./harness.ts"

const lancedb = createRequire(import.meta.url)("@lancedb/lancedb") as typeof LanceDb

const ROWS = 1000
const BYTES = 200_000
const AT_ONCE = 100
const TIMES = 10

const value = (row: number): Uint8Array => new Uint8Array(BYTES).fill(row)

/** Other rows each time, the same in both variants. */
const picks = (): number[][] => {
  const next = dice(1)
  return Array.from({ length: TIMES }, () => Array.from({ length: AT_ONCE }, () => Math.floor(next() * ROWS)))
}

const check = (id: ArrayLike<number>, values: readonly (ArrayLike<number> | null)[]): void => {
  for (let at = 0; at < id.length; at++) {
    const bytes = values[at]
    if (bytes?.length !== BYTES || bytes[0] !== (id[at] ?? 0) % 256) throw new Error(`row ${id[at]} is another one`)
  }
}

const question: Question = {
  title: "random rows: 10 times 100 with 2 × 200 KB",
  prepare: async (folder) => {
    const client = new Client({ uri: folder })
    for (let start = 0; start < ROWS; start += AT_ONCE) {
      const id = Int32Array.from({ length: AT_ONCE }, (_, at) => start + at)
      const data = Array.from(id, value)
      const clip = Array.from(id, value)
      await client.ingest("rows", { id, data, clip }, { schema: { data: "BINARY", clip: "VIDEO" } })
    }
  },
  variants: {
    sluice: async (input) => {
      await using dataset = await openTable(input, "rows")
      for (const rows of picks()) {
        const columns = ["id", "data", "clip"]
        const batch = await dataset.rows<{ id: Int32Array; data: Uint8Array[]; clip: Uint8Array[] }>(rows, { columns })
        check(batch.id, batch.data)
        check(batch.id, batch.clip)
      }
    },
    "the store's own calls": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("rows")
      for (const rows of picks()) {
        const id: number[] = []
        const data: Uint8Array[] = []
        const ids: bigint[] = []
        for await (const record of table.takeOffsets(rows).select(["id", "data"]).withRowId()) {
          for (let at = 0; at < record.numRows; at++) {
            id.push(record.getChild("id")?.get(at))
            data.push(record.getChild("data")?.get(at))
            ids.push(record.getChild("_rowid")?.get(at))
          }
        }
        check(id, data)
        check(id, await table.fetchBlobs("clip", ids))
      }
    },
  },
  goals: { "the store's own calls": 0.77 },
}

export default question
