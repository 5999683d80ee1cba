/** Runs one item that never ends, in a child process of its own. */
import { run } from "../../src/pipeline.ts"
import { memory } from "../../src/sinks/memory.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"

await run(
  testPlan(itemsOf([{ rows: 0, end: "spin" }]), memory({ table: "t" }), "process", {
    workers: { threads: 1, timeout: 600_000 },
  }),
)
