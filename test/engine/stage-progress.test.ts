/** What a run says of its single stages: figures at any moment, and events of calls that failed or took long. */
import { setTimeout as sleep } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import type { RunEvent, StageProgress } from "../../src/model/events.ts"
import { isFilter, lengths, observed } from "../fixtures/observed.ts"

const total = ({ durations }: StageProgress): number => durations.reduce((sum, count) => sum + count, 0)

describe("the stages of a run", () => {
  it("have what came to them, what they handed on, their calls and retries; at the end they hold nothing", async () => {
    let tries = 0
    const { stages, progress, events, summary } = await observed(
      // 5 + 3 + 2 rows that come through; one item without rows, one that breaks, one whose worker dies, one that has to be
      // done elsewhere.
      [
        { rows: 5 },
        { rows: 0 },
        { rows: 1, end: "throw" },
        { rows: 3, end: "lane" },
        { rows: 0, end: "exit" },
        { rows: 2 },
      ],
      [
        lengths((batch) => {
          if (tries++ === 0) throw new Error("503")
          return { length: batch.column("text").map(() => 7) }
        }),
        isFilter((n) => n % 2 === 0),
      ],
    )
    expect(summary.items).toMatchObject({ listed: 6, done: 3, empty: 1, failed: 2 })
    expect(stages.map(({ stage, name }) => [stage, name])).toEqual([
      ["list", "list"],
      ["normalize", "normalize"],
      ["map", "length"],
      ["filter", "even"],
      ["write", "write"],
    ])
    const [list, normalize, map, filter, write] = stages
    expect(list).toMatchObject({ calls: 1, failed: 0, retries: 0 })
    // The item that was handed to another lane was normalized once.
    expect(normalize).toMatchObject({ calls: 6, failed: 2, rowsIn: 0 })
    expect(normalize?.rowsOut).toBeGreaterThanOrEqual(10)
    expect(map).toMatchObject({ rowsIn: normalize?.rowsOut, failed: 1, retries: 1 })
    expect(filter).toMatchObject({ rowsIn: map?.rowsOut, rowsOut: 3 + 2 + 1, failed: 0 })
    expect(write).toMatchObject({ rowsIn: 6, rowsOut: 6 })
    expect(write?.calls).toBeGreaterThan(0)
    for (const stage of stages) {
      expect({ name: stage.name, total: total(stage), held: stage.held }).toEqual({
        name: stage.name,
        total: stage.calls,
        held: 0,
      })
      expect([stage.inFlight, stage.seconds >= 0]).toEqual([0, true])
    }
    expect(progress.bytesPending).toBe(0)
    expect(events.filter(({ type }) => type === "listed")).toEqual([
      { type: "listed", items: 6, seconds: expect.any(Number) },
    ])
    expect(events.filter((event) => event.type === "call" && event.error !== null)).toMatchObject([
      { stage: "map", name: "length", item: "item-0", attempt: 1, error: "503" },
    ])
  })

  it("say what they hold while they are at it, and which calls took long", async () => {
    let during: StageProgress | undefined
    const { events } = await observed(
      [{ rows: 1 }, { rows: 1, wait: 1010 }],
      [
        lengths(async (batch, _context, stats) => {
          if (batch.items.includes("item-0")) {
            during = stats()?.stages[2]
            await sleep(1010)
          }
          return { length: batch.column("text").map(() => 7) }
        }),
      ],
    )
    expect(during).toMatchObject({ stage: "map", inFlight: 1, rowsOut: 0, held: during?.rowsIn, calls: 0 })
    expect(during?.held).toBeGreaterThan(0)
    const calls = events.filter((event): event is Extract<RunEvent, { type: "call" }> => event.type === "call")
    // On a machine that stands still for a second, there are more of them.
    expect(calls).toContainEqual(expect.objectContaining({ stage: "map", item: "item-0", attempt: 1, error: null }))
    expect(calls).toContainEqual(
      expect.objectContaining({
        stage: "normalize",
        name: "normalize",
        item: "item-1",
        items: 1,
        rows: 1,
        error: null,
      }),
    )
    for (const { begun, seconds } of calls) {
      expect(seconds).toBeGreaterThanOrEqual(1)
      expect(Math.abs(Date.now() - begun)).toBeLessThan(60_000)
    }
  })
})
