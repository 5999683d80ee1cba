/** Sluice's own parts pass the checks that authors run on theirs; parts with a fault do not, and are told why. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { batchOf } from "../../src/model/batch.ts"
import { textColumn } from "../../src/model/column.ts"
import type { Feed } from "../../src/model/feed.ts"
import type { Format } from "../../src/model/format.ts"
import type { Sink } from "../../src/model/sink.ts"
import { NORMALIZERS } from "../../src/normalizers/index.ts"
import { lance } from "../../src/sinks/lance.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { parquet } from "../../src/sinks/parquet/parquet.ts"
import { files } from "../../src/sources/files.ts"
import { type Check, formatChecks, normalizerChecks, sinkChecks, sourceChecks } from "../../src/testing/index.ts"
import { picture } from "../fixtures/image.ts"
import { tempFolder } from "../fixtures/temp.ts"

const passes = (checks: readonly Check[]): void => {
  for (const { name, run } of checks) it(name, run)
}

/** The names of the checks that a part does not pass, and why. */
const failuresOf = async (checks: readonly Check[]): Promise<Record<string, string>> => {
  const failures: Record<string, string> = {}
  for (const { name, run } of checks) {
    await run().catch((error: unknown) => {
      failures[name] = error instanceof Error ? error.message : String(error)
    })
  }
  return failures
}

describe.each<[string, (folder: string) => Sink]>([
  ["lance", (uri) => lance({ uri, table: "t" })],
  ["parquet", (uri) => parquet({ uri, table: "t" })],
])("the sink %s", (_, make) => passes(sinkChecks(make)))

describe("the sink memory", () => {
  const databases = new Map<string, MemoryDatabase>()
  const databaseOf = (folder: string): MemoryDatabase => {
    const database = databases.get(folder) ?? new MemoryDatabase()
    databases.set(folder, database)
    return database
  }
  passes(sinkChecks((folder) => memory({ table: "t", database: databaseOf(folder) })))
})

describe("files", async () => {
  const folder = await tempFolder()
  const include = ["a.txt", "b.md", "c.csv"].map((name) => join(folder, name))
  for (const path of include) writeFileSync(path, `${path}\n`.repeat(50))
  writeFileSync(join(folder, "d.png"), await picture(20, 10).png().toBuffer())
  passes(sourceChecks(() => files({ include: folder })))
  for (const normalizer of NORMALIZERS.filter(({ name }) => name === "text")) {
    passes(normalizerChecks(normalizer, include))
  }
})

const squares: Format = {
  name: "squares",
  *normalize() {
    yield { n: [1, 2, 3] }
    yield { n: [4, 5] }
  },
}

describe("a format", () => passes(formatChecks(() => squares)))

const feedOf = (parts: Partial<Feed["source"]>, text: () => string = () => "x"): Feed => ({
  source: {
    name: "wrong",
    items: async function* () {
      for (const id of ["a", "b"]) yield { id, uri: id, version: "1", bytes: 1 }
    },
    ...parts,
  },
  code: {
    normalize: async function* () {
      yield { batch: batchOf({ text: textColumn([text()]) }) }
    },
    options: {},
  },
  route: () => ({ lane: "main", recipe: "1" }),
})

describe("faults are found", () => {
  it("in what a source lists", async () => {
    let calls = 0
    const twice = async function* () {
      for (const id of ["a", "a"]) yield { id, uri: id, version: String(calls++), bytes: -1 }
    }
    const failures = await failuresOf(sourceChecks(() => feedOf({ items: twice, total: 3 })))
    expect(failures["lists the same items in the same order every time"]).toContain("items of a second listing")
    expect(failures["says of every item what a run needs, and gives each an id of its own"]).toContain(
      'item "a": expected a number of bytes, found -1',
    )
    expect(failures["knows how many items there are, if it says so"]).toContain("total")
  })

  it("in rows that are others every time", async () => {
    let calls = 0
    const failures = await failuresOf(sourceChecks(() => feedOf({}, () => String(calls++))))
    expect(Object.keys(failures)).toEqual([
      "makes the same rows of the same items every time",
      "comes out whole when runs fail and begin again",
    ])
  })

  it("in batches with columns of their own", async () => {
    const format: Format = {
      *normalize() {
        yield { a: [1] }
        yield { b: [2, 3], c: [4] }
      },
    }
    expect(await failuresOf(formatChecks(() => format))).toMatchObject({
      "yields batches of columns that have one length and always the same names":
        "batch 1: expected columns of one length, found 2,1",
    })
  })

  it("in a sink that commits before it is told to, and forgets", async () => {
    const eager = (): Sink => {
      const sink = memory({ table: "t" })
      return {
        ...sink,
        open: async (how) => {
          const writer = await sink.open(how)
          return Object.assign(Object.create(writer), {
            write: async (batch: Parameters<typeof writer.write>[0]) => {
              await writer.write(batch)
              await writer.commit()
            },
          })
        },
      }
    }
    const failures = await failuresOf(sinkChecks(eager))
    expect(failures["shows rows after their commit, in their order, and none before it"]).toContain(
      "rows before the commit",
    )
    expect(failures["has them when it is opened again, without those that were not committed"]).toBeDefined()
  })
})
