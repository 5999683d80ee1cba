/** Whole runs into a sink that fails now and then: each row of each item once is what remains of them. */
import type { Plan } from "../../engine/plan.ts"
import { batchOf } from "../../model/batch.ts"
import { int32Column, textColumn } from "../../model/column.ts"
import type { Feed } from "../../model/feed.ts"
import type { Sink } from "../../model/sink.ts"
import { planOf, type RunSettings } from "../../pipeline.ts"
import { memory } from "../../sinks/memory.ts"
import { faulty } from "../faulty.ts"
import { type Check, inFolder, type PlainRow, rowsOf, tryRun } from "./check.ts"
import { same } from "./same.ts"

const ITEMS = 30
const SEEDS = [1, 2, 3, 4, 5]

/** Items of no rows up to four; every third has another version in the second round, and every fifth has vanished. */
const feed = (round: 1 | 2): Feed => ({
  source: {
    name: "made up",
    items: async function* () {
      for (let index = 0; index < ITEMS; index++) {
        if (round === 2 && index % 5 === 4) continue
        const version = round === 2 && index % 3 === 0 ? "2" : "1"
        yield { id: `item-${index}`, uri: `made-up:${index}`, version, bytes: 10, payload: index % 5 }
      }
    },
  },
  code: {
    normalize: async function* (item) {
      const rows = Number(item.payload)
      if (rows === 0) return
      const text = textColumn(Array.from({ length: rows }, (_, row) => `${item.id} ${item.version} ${row}`))
      const sides = int32Column(Array.from({ length: rows }, (_, row) => row))
      yield { batch: batchOf({ text }), side: { notes: batchOf({ _row: sides, note: text }) } }
    },
    options: {},
  },
  route: () => ({ lane: "main", recipe: "made up" }),
})

const SETTINGS: RunSettings = { mode: "sync", flushEvery: 4, commitEvery: 8, maxDeleteRatio: 1 }

const planInto = (sink: Sink, round: 1 | 2): Plan => planOf({ name: "checks", feed: feed(round), sink }, SETTINGS)

/** What is in the table and in its side table, in an order that does not depend on when a change was taken in. */
const contentOf = async (sink: Sink): Promise<readonly PlainRow[][]> => {
  const reader = await sink.view()
  const sorted = (rows: readonly PlainRow[]): PlainRow[] =>
    rows.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  try {
    const found: PlainRow[][] = []
    for (const [from, columns] of [
      [reader, ["_item", "_row", "_end", "text"]],
      [await reader.side("notes"), ["_item", "_row", "note"]],
    ] as const) {
      const rows: PlainRow[] = []
      for await (const batch of from.read(columns)) rows.push(...rowsOf(batch, columns))
      found.push(sorted(rows))
    }
    return found
  } finally {
    await reader.close()
  }
}

const undisturbed = async (): Promise<readonly PlainRow[][]> => {
  const sink = memory({ table: "t" })
  await tryRun(planInto(sink, 1))
  await tryRun(planInto(sink, 2))
  return contentOf(sink)
}

export const faultChecks = (make: (folder: string) => Sink): readonly Check[] => [
  {
    name: "has each row of each item once, whatever failed on the way",
    run: () =>
      inFolder(async (folder) => {
        const sink = make(folder)
        for (const round of [1, 2] as const) {
          for (const seed of SEEDS) {
            const plan = faulty(planInto(sink, round), { seed, sink: { fail: 0.1, lostReply: 0.1 } })
            // That it stops is what the faults are for.
            await tryRun(plan).catch(() => {})
          }
          await tryRun(planInto(make(folder), round))
        }
        same("rows after faults", await contentOf(make(folder)), await undisturbed())
      }),
  },
]
