/** The ten nearest of 100,000 vectors of 384 numbers, without an index, twenty times. */
import { openToRead } from "../src/dataset/open.ts"
import { rowsById } from "../src/dataset/scan.ts"
import { rank } from "../src/dataset/search/rank.ts"
import type { Question } from "./harness.ts"
import { lancedb, timeEach, vectorQueries, writeVectorTable } from "./search-inputs.ts"

const QUERIES = vectorQueries(20)

const question: Question = {
  title: "search: nearest of 100,000 × 384, 20 times",
  prepare: writeVectorTable,
  variants: {
    sluice: async (input) => {
      const open = await openToRead(input, "vectors")
      await timeEach(QUERIES, async (vector) => {
        const { ids } = await rank(open, { kind: "vector", column: "vector", vector }, { limit: 10 })
        for await (const _ of rowsById(open.table, open.schema, ids, ["_item", "_row"]));
      })
      open.close()
    },
    "the store alone": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("vectors")
      await timeEach(QUERIES, (vector) =>
        table
          .query()
          .nearestTo(vector)
          .column("vector")
          .distanceType("cosine")
          .select(["_item", "_row", "_distance"])
          .limit(10)
          .toArray(),
      )
    },
  },
  // At most 1.2 times as long.
  goals: { "the store alone": 0.83 },
}

export default question
