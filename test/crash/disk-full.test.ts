/** A disk that fills up ends the run at its last commit; with room again, the next run completes the table. */
import { connect } from "@lancedb/lancedb"
import { expect, it } from "vitest"
import { isFatal } from "../../src/model/errors.ts"
import { run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { makeRoom, smallDisk } from "../fixtures/disk.ts"
import type { Behaviour } from "../fixtures/normalizer.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"

it("ends the run, keeps the last commit, and goes on when there is room", { timeout: 60_000 }, async ({ skip }) => {
  const uri = await smallDisk("400k")
  if (uri === undefined) return skip()
  const behaviours: Behaviour[] = Array.from({ length: 400 }, () => ({ rows: 2, size: 8000 }))
  const plan = () =>
    testPlan(itemsOf(behaviours), lance({ uri, table: "t" }), "thread", { flushEvery: 10, commitEvery: 20 })

  const error: unknown = await run(plan()).catch((thrown: unknown) => thrown)
  expect(String(error)).toMatch(/FatalError: The disk of .* is full; table "t.*" stands at its last commit/)
  expect(isFatal(error), String(error)).toBe(true)

  makeRoom(uri)
  const rows = async (): Promise<number> => (await (await connect(uri)).openTable("t")).countRows()
  const before = await rows()
  expect(before).toBeGreaterThan(0)
  expect(before % 20).toBe(0)

  const summary = await run(plan())
  expect(summary.items).toMatchObject({ listed: 400, failed: 0, pending: 0, done: 400 - before / 2 })
  expect(await rows()).toBe(800)
})
