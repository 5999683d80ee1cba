/** Classes of anyone's own, as `run(formatPlan(...))` and `client.ingest()` take them. */
import { describe, expect, it } from "vitest"
import { Client } from "../../src/client.ts"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { ConfigError, FatalError, IngestError } from "../../src/model/errors.ts"
import type { Columns, Format } from "../../src/model/format.ts"
import { formatPlan, type RunSettings, run, start } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { picture } from "../fixtures/image.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

type Batches = () => Iterable<Columns> | AsyncIterable<Columns>

const formatOf = (batches: readonly Columns[] | Batches, more: Omit<Format, "normalize"> = {}): Format => ({
  normalize: typeof batches === "function" ? batches : () => batches,
  ...more,
})

const SMALL: RunSettings = { flushEvery: 2, commitEvery: 4 }

const planOf = (database: MemoryDatabase, format: Format, settings: RunSettings = SMALL) =>
  formatPlan({ name: "plain", format, sink: memory({ table: "t", database }) }, settings)

const ingest = async (format: Format, settings?: RunSettings, database = new MemoryDatabase()) => ({
  database,
  summary: await run(planOf(database, format, settings)),
})

const column = (database: MemoryDatabase, name: string, table = "t") =>
  rowsOf(database.rows(table)).map((row) => row[name])

const typesOf = (database: MemoryDatabase): Record<string, string> =>
  Object.fromEntries([...database.table("t").schema].flatMap(([name, { name: type }]) => [[name, type]]))

/** What the only item of a refused format was refused for. */
const refusal = async (format: Format, settings?: RunSettings): Promise<string> => {
  const { database, summary } = await ingest(format, settings)
  expect(summary.items).toMatchObject({ listed: 1, done: 0, failed: 1 })
  expect(database.rows("t").rows).toBe(0)
  return String(column(database, "error", "t__items")[0])
}

describe("the batches of a format", () => {
  it("are rows in their order, from a plain or an async iterable, and in a table of any sink", async () => {
    const batches = [
      { n: [1, 2], name: ["a", null] },
      { n: [3], name: ["c"] },
      { n: [], name: [] },
    ]
    const sources: readonly Batches[] = [
      () => batches,
      function* () {
        yield* batches
      },
      async function* () {
        yield* batches
      },
    ]
    for (const source of sources) {
      const { database, summary } = await ingest(formatOf(source))
      expect(summary).toMatchObject({ rows: 3, rowsByMedium: { format: 3 }, items: { done: 1 } })
      expect(rowsOf(database.rows("t"), ["n", "name"])).toEqual([
        { n: 1n, name: "a" },
        { n: 2n, name: null },
        { n: 3n, name: "c" },
      ])
    }
    const client = new Client({ uri: await tempFolder() })
    expect(await client.ingest("t", null, { format: formatOf(batches) })).toMatchObject({ rowCount: 3 })
    expect((await inspectTable(client.uri, "t")).columns).toMatchObject([
      { name: "n", type: "INT64" },
      { name: "name", type: "TEXT" },
    ])
  })

  it("make an item without rows when there are none", async () => {
    expect((await ingest(formatOf([]))).summary.items).toMatchObject({ empty: 1, failed: 0 })
  })

  it("get a type when a column has its first value, and may have none before", async () => {
    const { database } = await ingest(formatOf([{ a: [null] }, { a: [undefined] }, { a: ["x"] }]))
    expect(rowsOf(database.rows("t"), ["a", "_row"])).toEqual([
      { a: null, _row: 0 },
      { a: null, _row: 1 },
      { a: "x", _row: 2 },
    ])
  })

  it("have whole numbers turned into fractions as long as none of them is committed", async () => {
    const late = formatOf([{ n: [1, 2] }, { n: [3.5] }, { n: [4, 5, 6] }, { n: new Float32Array([0.5]) }])
    const { database } = await ingest(late)
    expect(typesOf(database).n).toBe("FLOAT64")
    expect(column(database, "n")).toEqual([1, 2, 3.5, 4, 5, 6, 0.5])

    const tooLate = formatOf([{ n: [1, 2] }, { n: [3, 4] }, { n: [5, 6] }, { n: [7, 8.5] }])
    expect(await refusal(tooLate)).toMatch(/^Column "n", row 7: expected INT64, .* found 8\.5\. .*\{ "n": "FLOAT64" \}/)
    const named = await ingest(tooLate, { ...SMALL, schema: { n: "FLOAT64" } })
    expect(column(named.database, "n").at(-1)).toBe(8.5)
  })
})

describe("a batch that does not fit", () => {
  it.each<[string, readonly Columns[], RegExp]>([
    [
      "columns of unequal length",
      [
        { a: [1], b: [1] },
        { a: [1, 2], b: [3] },
      ],
      /^Batch 1: Columns must have equal lengths: "a" has 2 values, "b" has 1/,
    ],
    [
      "another column",
      [
        { a: [1], b: [1] },
        { a: [1], c: [1] },
      ],
      /^Batch 1: expected the columns of batch 0 \("a", "b"\), found a batch without "b" and with "c" besides/,
    ],
    [
      "text among whole numbers",
      [{ a: [1, 2] }, { a: [3, 4] }, { a: ["five"] }],
      /^Batch 2: Column "a", row 4: expected INT64 .*found the text "five"/,
    ],
    [
      "text among fractions",
      [{ a: [1, 2] }, { a: [0.5] }, { a: [4, "five"] }],
      /^Batch 2: Column "a", row 4: .*found the text "five"/,
    ],
    [
      "a vector of another length",
      [{ v: [[1, 2]] }, { v: [[1, 2], [3]] }],
      /^Batch 1: Column "v", row 2: expected EMBEDDING\(2\)/,
    ],
    ["a reserved name", [{ _row: [1] }], /^Batch 0: Column name "_row" is reserved/],
    ["no columns", [{ a: [1] }, {}], /^Batch 1: data must not be empty/],
    ["rows in place of columns", [[{ a: 1 }] as unknown as Columns], /^Batch 0: data must be a dict/],
  ])("is refused, with all rows of the format: %s", async (_, batches, message) => {
    expect(await refusal(formatOf(batches), { flushEvery: 1, commitEvery: 1 })).toMatch(message)
    const client = new Client({ uri: await tempFolder() })
    const ingesting = client.ingest("t", null, { format: formatOf(batches) })
    await expect(ingesting).rejects.toThrow(IngestError)
    await expect(ingesting).rejects.toThrow(message)
  })

  it("and an error of the format's own are told with the batch", async () => {
    const broken = formatOf(function* () {
      yield { a: [1] }
      throw new Error("annotations.csv has no column image_file")
    })
    expect(await refusal(broken)).toBe("normalize() failed at batch 1: annotations.csv has no column image_file")
  })
})

describe("what is no format", () => {
  it("is refused before anything is read or written", () => {
    class Numbers {
      normalize = () => []
    }
    const wrong: readonly (readonly [unknown, RegExp])[] = [
      [Numbers, /found the class Numbers; give one of it: new Numbers\(\.\.\.\)/],
      [{ rows: [] }, /a method normalize\(\), found an object \(rows\)/],
      [null, /found null/],
      [formatOf([], { name: "" }), /format\.name: expected a name/],
      [formatOf([], { schema: () => ({ a: "PICTURE" }) }), /Column "a": expected a column type .*"PICTURE"/],
    ]
    for (const [format, message] of wrong) {
      const planning = () => planOf(new MemoryDatabase(), format as Format)
      expect(planning).toThrow(ConfigError)
      expect(planning).toThrow(message)
    }
  })

  it("does not include a class with a field that happens to be called feed", async () => {
    const feeds = { feed: "https://example.org/rss", normalize: () => [{ n: [1] }] }
    expect((await ingest(feeds)).summary.rows).toBe(1)
  })
})

describe("types", () => {
  const bytes = new Uint8Array([1, 2, 3])

  it("are the caller's, else the format's, else those of the values", async () => {
    const format = formatOf([{ a: [1], b: [1], c: [1], image: [bytes], mask: [bytes] }], {
      schema: () => ({ a: "FLOAT32", b: "FLOAT32", image: "BINARY", mask: "SEGMENT_MASK" }),
      pg_schema: () => ({ image: "IMAGE" }),
      image_columns: () => [],
    })
    const { database } = await ingest(format, { schema: { a: "INT32", mask: "BINARY_MASK" } })
    expect(typesOf(database)).toMatchObject({
      a: "INT32",
      b: "FLOAT32",
      c: "INT64",
      image: "IMAGE",
      mask: "BINARY_MASK",
    })
  })

  it("of PostgreSQL are taken, and a width given elsewhere is kept", async () => {
    const format = formatOf([{ v: [[1, 2]], n: [1], big: [1], ok: [true] }], {
      schema: () => ({ v: "EMBEDDING(2)" }),
      pg_schema: () => ({ v: "float4[]", n: "integer", big: "BIGINT", ok: "boolean" }),
    })
    const { database } = await ingest(format)
    expect(typesOf(database)).toMatchObject({ v: "EMBEDDING", n: "INT32", big: "INT64", ok: "BOOL" })
  })

  it("that the caller gives to a column that is not there are an error", async () => {
    expect(await refusal(formatOf([{ label: ["a"] }]), { schema: { labl: "TEXT" } })).toMatch(
      /^Batch 0: "schema" names "labl", the format yields "label"/,
    )
  })
})

describe("pictures", () => {
  const batches = async () => {
    const image = await picture(40, 20).jpeg().toBuffer()
    return [
      { image: [image, null], other: [image, image] },
      { image: [image], other: [new Uint8Array([1])] },
    ]
  }
  const thumbnails = (database: MemoryDatabase) =>
    rowsOf(database.rows("t__thumbnails"), ["_row", "column_name", "dimension"]).map((row) => Object.values(row))

  it("of columns hinted as IMAGE have thumbnails", async () => {
    const { database } = await ingest(formatOf(await batches(), { schema: () => ({ image: "IMAGE" }) }))
    const sizes = ["32x32", "64x64", "128x128", "256x256"]
    expect(thumbnails(database)).toEqual([0, 2].flatMap((row) => sizes.map((size) => [row, "image", size])))
  })

  it("of image_columns() have them instead; one that cannot be decoded is told, and its row kept", async () => {
    const format = formatOf(await batches(), { pg_schema: () => ({ image: "IMAGE" }), image_columns: () => ["other"] })
    const { database, summary } = await ingest(format)
    expect(new Set(thumbnails(database).map(([row, name]) => `${row} ${name}`))).toEqual(
      new Set(["0 other", "1 other"]),
    )
    expect(summary).toMatchObject({ rows: 3, items: { done: 1, partial: 1 } })
    expect(column(database, "error", "t__items")[0]).toMatch(/^no thumbnails of other in row 2: /)
  })
})

const ROWS = 40

/** Rows of so many bytes are handed on one by one, however fast they come. */
const PAD = "x".repeat(1 << 16)

/** 40 rows of a batch each; `stop` is called with the row that is about to be yielded. */
const counting = async (more: Omit<Format, "normalize">, stop: (row: number) => void = () => {}, rows = ROWS) => {
  const images = await Promise.all([10, 20, 30].map((width) => picture(width, 8).png().toBuffer()))
  return formatOf(
    async function* () {
      for (let row = 0; row < rows; row++) {
        stop(row)
        yield { n: [row], image: [images[row % images.length]], pad: [PAD] }
      }
    },
    { schema: () => ({ image: "IMAGE" }), ...more },
  )
}

const expectWhole = (database: MemoryDatabase): void => {
  const all = Array.from({ length: ROWS }, (_, row) => row)
  expect(column(database, "n").map(Number)).toEqual(all)
  expect(column(database, "_row")).toEqual(all)
  expect(column(database, "_row", "t__thumbnails")).toEqual(all.flatMap((row) => [row, row, row, row]))
}

/** Stops a run at a commit, as a kill would. */
const cut = async (format: Format) => {
  const database = new MemoryDatabase()
  const handle = start(planOf(database, format))
  for await (const event of handle) if (event.type === "committed" && event.rows >= 16) handle.cancel({ drain: false })
  expect(await handle.result).toMatchObject({ ending: "interrupted", items: { pending: 1 } })
  const left = database.rows("t").rows
  expect(left).toBeGreaterThan(10)
  expect(left).toBeLessThan(ROWS)
  return { database, left, commits: column(database, "_commit") }
}

describe("a format", () => {
  it("without a name is new in every call", async () => {
    const { database } = await ingest(formatOf([{ n: [1] }]))
    const again = await ingest(formatOf([{ n: [1] }]), SMALL, database)
    expect(again.summary.items).toMatchObject({ done: 1, unchanged: 0 })
    expect(column(database, "n")).toEqual([1n, 1n])
  })

  it("with a name is ingested once, and is told from a file of that name", async () => {
    const named = formatOf([{ n: [1] }], { name: "a.txt" })
    const { database } = await ingest(named)
    const again = await ingest(named, SMALL, database)
    expect(again.summary.items).toMatchObject({ done: 0, unchanged: 1 })
    expect(column(database, "_item")).toEqual(["format:a.txt"])
  })

  it("with a name begins anew after a kill", async () => {
    const { database, left } = await cut(await counting({ name: "n" }))
    const { summary } = await ingest(await counting({ name: "n" }), SMALL, database)
    expect(left).toBeGreaterThan(0)
    expect(summary.rows).toBe(ROWS)
    expectWhole(database)
  })

  it("without a name leaves nothing behind after a kill", async () => {
    const { database } = await cut(await counting({}))
    await ingest(await counting({}), SMALL, database)
    expectWhole(database)
  })

  it("that is resumable goes on after its committed rows, and decodes no picture twice", async () => {
    const { database, left, commits } = await cut(await counting({ name: "n", resumable: true }))
    const same = await counting({ name: "n", resumable: true })
    const unlike = formatOf(
      async function* () {
        let row = 0
        // A picture that cannot be decoded makes the item a partial one.
        for await (const batch of same.normalize())
          yield row++ < left ? { ...batch, image: [new Uint8Array(1)] } : batch
      },
      { schema: () => ({ image: "IMAGE" }), name: "n", resumable: true },
    )
    const { summary } = await ingest(unlike, SMALL, database)
    expect(summary).toMatchObject({ rows: ROWS - left, items: { done: 1, partial: 0 } })
    expect(column(database, "_commit").slice(0, left)).toEqual(commits)
    expectWhole(database)
    expect((await ingest(await counting({ name: "n", resumable: true }), SMALL, database)).summary.items).toMatchObject(
      {
        unchanged: 1,
      },
    )
  })

  it("that is resumable and throws keeps its committed rows, and goes on once that is mended", async () => {
    const database = new MemoryDatabase()
    const broken = await counting({ name: "n", resumable: true }, (row) => {
      if (row === 30) throw new Error("connection reset")
    })
    const running = run(planOf(database, broken))
    await expect(running).rejects.toThrow(FatalError)
    await expect(running).rejects.toThrow(/failed at batch 30: connection reset\. The rows committed so far stay/)
    const left = database.rows("t").rows
    expect(left).toBeGreaterThan(10)
    const commits = column(database, "_commit")
    const { summary } = await ingest(await counting({ name: "n", resumable: true }), SMALL, database)
    expect(summary.rows).toBe(ROWS - left)
    expect(column(database, "_commit").slice(0, left)).toEqual(commits)
    expectWhole(database)
  })

  it("that said it was resumable and then has fewer rows loses them, says so, and begins anew", async () => {
    const { database, left } = await cut(await counting({ name: "n", resumable: true }))
    const short = await ingest(await counting({ name: "n", resumable: true }, undefined, 5), SMALL, database)
    expect(short.summary.items).toMatchObject({ failed: 1 })
    expect(String(column(database, "error", "t__items")[0])).toMatch(
      new RegExp(`^Expected more than the ${left} rows .* found 5`),
    )
    expect(database.rows("t").rows).toBe(0)
    expect((await ingest(await counting({ name: "n", resumable: true }), SMALL, database)).summary.rows).toBe(ROWS)
    expectWhole(database)
  })

  it("that is resumable starts at its first row where the table is replaced", async () => {
    const { database } = await cut(await counting({ name: "n", resumable: true }))
    const { summary } = await ingest(
      await counting({ name: "n", resumable: true }),
      { ...SMALL, mode: "replace" },
      database,
    )
    expect(summary.rows).toBe(ROWS)
    expectWhole(database)
  })

  it("that waits for what never comes does not hold up a run that is stopped", async () => {
    const format = formatOf(async function* () {
      for (let n = 0; n < 30; n++) yield { n: [n], pad: [PAD] }
      await new Promise(() => {})
    })
    const handle = start(planOf(new MemoryDatabase(), format, { ...SMALL, shutdownTimeout: 1 }))
    for await (const event of handle) if (event.type === "committed" && event.rows > 10) handle.cancel()
    expect(await handle.result).toMatchObject({ ending: "interrupted", items: { pending: 1 } })
  })

  it("may close what it has open, however the run ends", async () => {
    for (const drain of [true, false]) {
      let closed = false
      const format = formatOf(async function* () {
        try {
          for (let n = 0; ; n++) yield { n: [n] }
        } finally {
          closed = true
        }
      })
      const handle = start(planOf(new MemoryDatabase(), format, { ...SMALL, shutdownTimeout: 1 }))
      for await (const event of handle) if (event.type === "committed" && event.rows > 20) handle.cancel({ drain })
      await handle.result
      expect(closed).toBe(true)
    }
  })
})
