/** Tables of very many items, and runs on them. Names are made as they are listed, so that none is held by the bench. */
import { batchOf } from "../src/model/batch.ts"
import { numberColumn } from "../src/model/column.ts"
import { type Feed, versionOf } from "../src/model/feed.ts"
import type { Item } from "../src/model/item.ts"
import { withHidden } from "../src/model/rows.ts"
import { planOf, type RunSettings, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"

/** How many items there are, and how many rows each has. */
export interface Many {
  readonly items: number
  readonly rows: number
}

const TABLE = "t"
/** Rows of a commit, where the table is written. */
const COMMIT_ROWS = 100_000

const itemAt = (index: number): Item => {
  const id = `folder-${Math.floor(index / 1000)}/item-${index}`
  return { id, uri: id, version: "1024:1760000000000", bytes: 1024 }
}

const rowsOf = (first: number, count: number) =>
  batchOf({
    n: numberColumn(
      BigInt64Array.from({ length: count }, (_, i) => BigInt(first + i)),
      { name: "INT64" },
    ),
  })

/** The items from 0 to `end`, but for those that are `gone`. */
const feedOf = (rows: number, end: number, gone: (index: number) => boolean = () => false): Feed => ({
  source: {
    name: "many",
    items: async function* () {
      for (let index = 0; index < end; index++) if (!gone(index)) yield itemAt(index)
    },
  },
  code: {
    normalize: async function* () {
      yield { batch: rowsOf(0, rows), medium: "many" }
    },
    options: {},
  },
  route: () => ({ lane: "main", recipe: "r" }),
})

/** Writes the table as runs would have left it. */
export const fill = async (uri: string, { items, rows }: Many): Promise<void> => {
  const writer = await lance({ uri, table: TABLE }).open({ create: "new" })
  const { route } = feedOf(rows, items)
  const step = Math.ceil(COMMIT_ROWS / rows)
  for (let first = 0, commit = 1; first < items; first += step, commit++) {
    const spans = Array.from({ length: Math.min(step, items - first) }, (_, i) => {
      const item = itemAt(first + i)
      return { item: item.id, version: versionOf(item, route(item)), firstRow: 0, rows, end: true, medium: "many" }
    })
    await writer.write(withHidden(rowsOf(first * rows, spans.length * rows), spans, commit))
    await writer.commit()
    await writer.maintain()
  }
  await writer.close()
}

const planWith = (uri: string, feed: Feed, settings: RunSettings) =>
  planOf({ name: "many", feed, sink: lance({ uri, table: TABLE }) }, settings)

/** A `sync` that finds every so-many-th item gone, or none; gives its seconds. */
export const sync = async (uri: string, { items, rows }: Many, every = Infinity): Promise<number> => {
  const gone = (index: number): boolean => index % every === every - 1
  const { items: counts, seconds } = await run(planWith(uri, feedOf(rows, items, gone), { mode: "sync" }))
  const removed = Math.floor(items / every)
  if (counts.removed !== removed || counts.unchanged !== items - removed) throw new Error(JSON.stringify(counts))
  return seconds
}

/** Adds one item to those that are there; gives the seconds from the start to its commit. */
export const resume = async (uri: string, { items, rows }: Many): Promise<number> => {
  const started = performance.now()
  let seconds = Number.NaN
  await run(planWith(uri, feedOf(rows, items + 1), {}), {
    onEvent: ({ type }) => {
      if (type === "committed") seconds = (performance.now() - started) / 1000
    },
  })
  return seconds
}
