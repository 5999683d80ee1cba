import { describe, expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { batchOf } from "../../src/model/batch.ts"
import { numberColumn } from "../../src/model/column.ts"
import type { Normalize } from "../../src/model/normalizer.ts"
import type { Sink } from "../../src/model/sink.ts"
import { planOf, type RunSettings, run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

type Labels = readonly [item: string, label: number, names?: readonly string[] | undefined]

const ingest = (sink: Sink, labels: readonly Labels[], settings: RunSettings = {}) => {
  const normalize: Normalize = async function* (item) {
    const [, label = 0, names] = labels.find(([id]) => id === item.id) ?? []
    yield {
      batch: batchOf({
        label: numberColumn(Int32Array.of(label), { name: "CLASS_LABEL", ...(names && { names }) }),
      }),
    }
  }
  const source = {
    name: "labels",
    items: async function* () {
      for (const [id] of labels) yield { id, uri: id, version: "1", bytes: 1 }
    },
  }
  const feed = { source, code: { normalize, options: {} }, route: () => ({ lane: "main", recipe: "r" }) as const }
  return run(planOf({ name: "labels", feed, sink }, settings))
}

const PETS = ["cat", "dog"]

describe("the names of classes", () => {
  it("stay with the column, whether the first rows have them or not, and are seen when the table is inspected", async () => {
    const uri = await tempFolder()
    for (const [table, first] of [
      ["named", PETS],
      ["unnamed", undefined],
    ] as const) {
      const sink = lance({ uri, table })
      await ingest(sink, [
        ["a", 1, first],
        ["b", -1, PETS],
      ])
      // A column with other metadata than the table's is added to it all the same.
      expect((await ingest(sink, [["c", 0]])).items.done).toBe(1)
      expect((await inspectTable(uri, table)).columns).toMatchObject([
        { name: "label", type: "CLASS_LABEL", names: PETS },
      ])
    }
  })

  it("are not added to a table whose first commit had none, but the rows are", async () => {
    const uri = await tempFolder()
    const sink = lance({ uri, table: "t" })
    await ingest(sink, [["a", 0]])
    expect((await ingest(sink, [["b", 1, PETS]])).items.done).toBe(1)
    expect(await inspectTable(uri, "t")).toMatchObject({ rows: 2, columns: [{ name: "label", type: "CLASS_LABEL" }] })
  })

  it("are kept when the schema asks for the type without them", async () => {
    const database = new MemoryDatabase()
    await ingest(memory({ table: "t", database }), [["a", 1, PETS]], { schema: { label: "CLASS_LABEL" } })
    expect(database.table("t").schema.get("label")).toEqual({ name: "CLASS_LABEL", names: PETS })
  })

  it("are the same for all rows: a number that would mean another class is refused", async () => {
    const database = new MemoryDatabase()
    const sink = memory({ table: "t", database })
    const summary = await ingest(sink, [
      ["a", 0, PETS],
      ["b", 0, ["dog", "cat"]],
      ["c", 1, PETS],
    ])
    expect(summary.items).toMatchObject({ done: 2, failed: 1 })
    const records = rowsOf(database.rows("t__items"), ["_item", "error"])
    expect(records).toEqual([
      {
        _item: "b",
        error: expect.stringMatching(/"label": expected the classes that the table has \(cat, dog\), found dog, cat/),
      },
    ])
  })
})
