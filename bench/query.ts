/** A condition and a LIMIT, two hundred times, over a million rows. */
import { Client } from "../src/client.ts"
import type { Question } from "./harness.ts"
import { lancedb, writeNumbers } from "./query-inputs.ts"

const TIMES = 200
const at = (i: number): number => (i * 4999) % 1_000_000

const question: Question = {
  title: `query: a filter and LIMIT 10, ${TIMES} times over 1 M rows`,
  prepare: (folder) => writeNumbers(folder, 1_000_000),
  variants: {
    sluice: async (input) => {
      const client = new Client({ uri: input })
      for (let i = 0; i < TIMES; i++) {
        await client.query("SELECT id, score FROM numbers WHERE id >= $1 AND label = 'label 7' LIMIT 10", [at(i)])
      }
    },
    "the store, opened for each": async (input) => {
      for (let i = 0; i < TIMES; i++) {
        const db = await lancedb.connect(input)
        const table = await db.openTable("numbers")
        await table
          .query()
          .where(`id >= ${at(i)} AND label = 'label 7'`)
          .select(["id", "score"])
          .limit(10)
          .toArray()
        table.close()
        db.close()
      }
    },
    "the store, open": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("numbers")
      for (let i = 0; i < TIMES; i++) {
        await table
          .query()
          .where(`id >= ${at(i)} AND label = 'label 7'`)
          .select(["id", "score"])
          .limit(10)
          .toArray()
      }
    },
  },
  goals: { "the store, opened for each": 0.77 },
}

export default question
