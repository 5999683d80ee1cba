/**
 * BM25 over 100,000 texts: fifty searches for two words each, the table opened anew for each of them as `search` does,
 * and opened once as a server would. `node bench/one.ts search-text VARIANT INPUT OUTPUT` prints the median of one search,
 * which is to be at most 10 ms.
 */
import { openToRead } from "../src/dataset/open.ts"
import { rowsById } from "../src/dataset/scan.ts"
import { rank } from "../src/dataset/search/rank.ts"
import { search } from "../src/dataset/search.ts"
import type { Question } from "./harness.ts"
import { lancedb, textQueries, timeEach, writeTextTable } from "./search-inputs.ts"

const QUERIES = textQueries(50)

const question: Question = {
  title: "search: BM25 over 100,000 texts, 50 times",
  prepare: writeTextTable,
  variants: {
    sluice: async (input) => {
      const open = await openToRead(input, "texts")
      await timeEach(QUERIES, async (text) => {
        const { ids } = await rank(open, { kind: "text", column: "text", text }, { limit: 10 })
        for await (const _ of rowsById(open.table, open.schema, ids, ["text"]));
      })
      open.close()
    },
    "sluice, the table opened for each": (input) =>
      timeEach(QUERIES, (query) => search(input, "texts", { query, columns: ["text"] })),
    "the store alone": async (input) => {
      const table = await (await lancedb.connect(input)).openTable("texts")
      await timeEach(QUERIES, (text) =>
        table
          .query()
          .fullTextSearch(new lancedb.MatchQuery(text, "text"))
          .select(["text", "_score"])
          .limit(10)
          .toArray(),
      )
    },
  },
  goals: { "the store alone": 0.5 },
}

export default question
