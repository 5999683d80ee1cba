/** What a run relies on in what makes rows. */
import type { Plan } from "../../engine/plan.ts"
import type { Feed } from "../../model/feed.ts"
import { isHidden } from "../../model/rows.ts"
import { formatType } from "../../model/types.ts"
import { planOf } from "../../pipeline.ts"
import { MemoryDatabase, memory } from "../../sinks/memory.ts"
import { faulty } from "../faulty.ts"
import { type Check, committed, expected, type Tried, tryRun } from "./check.ts"
import { same } from "./same.ts"

const TABLE = "checked"

/** So many runs with a sink that fails now and then come before the one that has to mend it all. */
const FAULTY_RUNS = 5

/** Small commits, so that there are many of them for faults to come between. */
const planInto = (feed: Feed, database: MemoryDatabase): Plan =>
  planOf(
    { name: "checks", feed, sink: memory({ table: TABLE, database }) },
    { flushEvery: 5, commitEvery: 10, workers: { threads: 2 } },
  )

const undisturbed = async (
  make: () => Feed,
): Promise<{ readonly database: MemoryDatabase; readonly summary: Tried }> => {
  const database = new MemoryDatabase()
  const summary = await tryRun(planInto(make(), database))
  expected(
    summary.items.failed === 0,
    `expected no item to fail, found ${summary.items.failed} of ${summary.items.listed}: ${summary.failure}`,
  )
  return { database, summary }
}

export const feedChecks = (make: () => Feed): readonly Check[] => [
  {
    name: "makes the same rows of the same items every time",
    run: async () => {
      const [first, second] = [await undisturbed(make), await undisturbed(make)]
      same("rows of a second run", committed(second.database, TABLE), committed(first.database, TABLE))
      expected(first.summary.rows > 0, "expected rows, found none: give the checks something to read")
    },
  },
  {
    name: "gives the columns that it declares, if it does",
    run: async () => {
      const declared = Object.entries(make().columnTypes ?? {})
      const { database } = await undisturbed(make)
      const given = [...database.rows(TABLE).columns].filter(([name]) => !isHidden(name))
      for (const [name, column] of declared.length > 0 ? given : []) {
        const type = declared.find(([other]) => other === name)?.[1]
        expected(
          type !== undefined,
          `expected column ${JSON.stringify(name)} to be declared, found it in the rows only`,
        )
        // A declared EMBEDDING need not have a width.
        const found = type?.includes("(") ? formatType(column.type) : column.type.name
        same(`type of column ${JSON.stringify(name)}`, found, type?.toUpperCase())
      }
    },
  },
  {
    name: "is done once: a second run finds its items unchanged",
    run: async () => {
      const { database, summary } = await undisturbed(make)
      const { items } = await tryRun(planInto(make(), database))
      same("items that were unchanged", items.unchanged, summary.items.done)
    },
  },
  {
    name: "comes out whole when runs fail and begin again",
    run: async () => {
      const { database: whole } = await undisturbed(make)
      const database = new MemoryDatabase()
      for (let seed = 1; seed <= FAULTY_RUNS; seed++) {
        // That it stops is what the fault is for.
        await tryRun(faulty(planInto(make(), database), { seed, sink: { fail: 0.2, lostReply: 0.2 } })).catch(() => {})
      }
      await tryRun(planInto(make(), database))
      same("rows after faults", committed(database, TABLE), committed(whole, TABLE))
    },
  },
]
