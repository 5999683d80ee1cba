/** What it costs that commits survive a loss of power: 200 commits of 500 rows, with and without. */
import { formatPlan, run } from "../src/pipeline.ts"
import { type Durability, lance } from "../src/sinks/lance.ts"
import type { Question } from "./harness.ts"

const COMMITS = 200
const ROWS = 500

const ingest = async (uri: string, durability: Durability): Promise<void> => {
  const format = {
    name: "rows",
    *normalize() {
      for (let commit = 0; commit < COMMITS; commit++) {
        yield { n: Int32Array.from({ length: ROWS }, (_, row) => commit * ROWS + row) }
      }
    },
  }
  const sink = lance({ uri, table: "t", durability })
  await run(formatPlan({ name: "rows", format, sink }, { flushEvery: ROWS, commitEvery: ROWS }))
}

const question: Question = {
  title: "`durability: fsync`: 200 commits of 500 rows",
  prepare: async () => {},
  variants: {
    sluice: (_, output) => ingest(output, "fsync"),
    "without it": (_, output) => ingest(output, "process"),
  },
  goals: {},
}

export default question
