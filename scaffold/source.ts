/** Records of an HTTP service that gives them page by page: an item a page, a row a record. */
import { createHash } from "node:crypto"
import { batchOf, type Feed, IngestError, type Item, recipeOf, Source, textColumn } from "sluice"

export interface ExampleThingOptions {
  /** Address of the service; it is asked for `?page=1`, `?page=2`, ... until a page is empty. */
  readonly url: string
}

interface ExampleThingRecord {
  readonly id: string
  readonly text: string
}

const COLUMNS = { id: "TEXT", text: "TEXT" } as const

/** Raise it when other rows come out for the same records: then `mode: sync` does them again. */
const REVISION = 1

const readPage = async (url: URL, signal: AbortSignal): Promise<readonly ExampleThingRecord[]> => {
  const response = await fetch(url, { signal })
  if (!response.ok) throw new IngestError(`expected records from ${url}, found status ${response.status}`)
  const page: unknown = await response.json()
  if (!Array.isArray(page)) throw new IngestError(`expected a list of records from ${url}, found ${typeof page}`)
  return page
}

/** Lists page after page, and holds no more than one. */
async function* listPages({ url }: ExampleThingOptions, signal: AbortSignal): AsyncGenerator<Item> {
  for (let number = 1; ; number++) {
    const address = new URL(url)
    address.searchParams.set("page", String(number))
    const records = await readPage(address, signal)
    if (records.length === 0) return
    const text = JSON.stringify(records)
    // What tells a page that has changed from one that has not.
    const version = createHash("sha256").update(text).digest("hex").slice(0, 16)
    const payload = records.map(({ id, text }) => ({ id, text }))
    yield { id: `page-${number}`, uri: address.href, version, bytes: text.length, payload }
  }
}

export const exampleThing = (options: ExampleThingOptions): Feed<typeof COLUMNS> => ({
  source: { name: "example_thing", items: ({ signal }) => listPages(options, signal) },
  code: {
    normalize: async function* (item) {
      const records = item.payload as unknown as readonly ExampleThingRecord[]
      yield {
        batch: batchOf({
          id: textColumn(records.map(({ id }) => id)),
          text: textColumn(records.map(({ text }) => text)),
        }),
        medium: "example_thing",
      }
    },
    options: {},
  },
  route: () => ({ lane: "main", recipe: recipeOf("example_thing", REVISION) }),
  columnTypes: COLUMNS,
})

export const exampleThingSource = Source.define({
  type: "example_thing",
  description: "Records of an HTTP service that gives them page by page.",
  fields: {
    url: {
      type: "text",
      description: "Address of the service; it is asked for `?page=1` and on, until a page is empty.",
    },
  },
  make: exampleThing,
})
