/** GROUP BY over ten million rows of three columns. */
import { Client } from "../src/client.ts"
import type { Question } from "./harness.ts"
import { lancedb, writeNumbers } from "./query-inputs.ts"

/** What any answer has to do at least: every value read once. */
const scan = async (uri: string): Promise<void> => {
  const table = await (await lancedb.connect(uri)).openTable("numbers")
  let rows = 0
  for await (const record of table.query().select(["label", "id", "score"])) rows += record.numRows
  if (rows !== 10_000_000) throw new Error(`${rows} rows`)
}

const question: Question = {
  title: "query: GROUP BY over 10 M rows × 3",
  prepare: (folder) => writeNumbers(folder, 10_000_000),
  variants: {
    sluice: (input) =>
      new Client({ uri: input }).query(
        "SELECT label, count(*), max(id), avg(score) FROM numbers GROUP BY label ORDER BY label",
      ),
    "a bare scan": scan,
  },
  goals: { "a bare scan": 0.5 },
}

export default question
