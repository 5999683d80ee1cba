/** What a run relies on in a source. */
import { statSync } from "node:fs"
import { isAbsolute } from "node:path"
import type { Feed } from "../../model/feed.ts"
import type { Item } from "../../model/item.ts"
import type { Source, SourceContext } from "../../model/source.ts"
import { type Check, expected, inTime } from "./check.ts"
import { feedChecks } from "./feed-checks.ts"
import { same } from "./same.ts"

const contextOf = (signal = new AbortController().signal): SourceContext => ({ signal, warn: () => {} })

const list = async (source: Source): Promise<Item[]> => {
  const items: Item[] = []
  for await (const item of source.items(contextOf())) items.push(item)
  return items
}

const checkItem = (item: Item): void => {
  const where = `item ${JSON.stringify(item.id)}`
  for (const key of ["id", "uri", "version"] as const) {
    expected(
      typeof item[key] === "string" && item[key] !== "",
      `${where}: expected ${key} to be text, found ${item[key]}`,
    )
  }
  expected(Number.isFinite(item.bytes) && item.bytes >= 0, `${where}: expected a number of bytes, found ${item.bytes}`)
  const copy: unknown = item.payload === undefined ? undefined : JSON.parse(JSON.stringify(item.payload))
  same(`${where}: payload after JSON, which is how plain data comes through`, copy, item.payload)
}

const checkFile = ({ id, uri, error }: Item): void => {
  if (error !== undefined) return
  const is = isAbsolute(uri) && statSync(uri, { throwIfNoEntry: false })?.isFile()
  expected(is === true, `item ${JSON.stringify(id)}: expected uri to be the absolute path of a file, found ${uri}`)
}

const isFeed = (made: Source | Feed): made is Feed => "source" in made

/**
 * Checks of a source, or of a feed. Give them something with at least two items, small and always the same.
 *
 * @param make makes it anew, as another process would.
 * @example
 * ```ts
 * import { test } from "node:test"
 * import { files } from "sluice"
 * import { sourceChecks } from "sluice/testing"
 *
 * for (const { name, run } of sourceChecks(() => files({ include: "./samples" }))) test(name, run)
 * ```
 */
export const sourceChecks = (make: () => Source | Feed): readonly Check[] => {
  const source = (): Source => {
    const made = make()
    return isFeed(made) ? made.source : made
  }
  const made = make()
  return [
    {
      name: "lists the same items in the same order every time",
      run: async () => {
        const first = await list(source())
        expected(first.length > 1, `expected at least two items to check it with, found ${first.length}`)
        same("items of a second listing", await list(source()), first)
      },
    },
    {
      name: "says of every item what a run needs, and gives each an id of its own",
      run: async () => {
        const ids = new Set<string>()
        for (const item of await list(source())) {
          checkItem(item)
          if (!isFeed(made)) checkFile(item)
          expected(!ids.has(item.id), `expected an id for each item, found ${JSON.stringify(item.id)} twice`)
          ids.add(item.id)
        }
      },
    },
    {
      name: "knows how many items there are, if it says so",
      run: async () => {
        const listed = source()
        const items = await list(listed)
        if (listed.total !== undefined) same("total", listed.total, items.length)
      },
    },
    {
      name: "ends its listing when the run is stopped",
      run: async () => {
        const stop = new AbortController()
        const items = source().items(contextOf(stop.signal))[Symbol.asyncIterator]()
        await items.next()
        stop.abort()
        const rest = async (): Promise<void> => {
          while (!(await items.next()).done);
        }
        // To end it with an error is as good.
        await inTime(
          "the listing, after its signal was aborted",
          rest().catch(() => {}),
        )
      },
    },
    ...(isFeed(made) ? feedChecks(() => make() as Feed) : []),
  ]
}
