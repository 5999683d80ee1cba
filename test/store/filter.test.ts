import { expect, it } from "vitest"
import { textColumn, valueAt } from "../../src/model/column.ts"
import type { RowFilter } from "../../src/model/sink.ts"
import { lance } from "../../src/sinks/lance.ts"
import { commitItems } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const NAMES = ["plain", "it's", "x' OR '1'='1", "back`tick", "%", "line\nbreak", "漢字"]

const openFilled = async () => {
  const writer = await lance({ uri: await tempFolder(), table: "t" }).open({ create: "new" })
  for (const name of NAMES) await commitItems(writer, [[name, { text: textColumn([name, name]) }]])
  const itemsOf = async (filter: RowFilter): Promise<string[]> => {
    const found = new Set<string>()
    for await (const batch of writer.read(["_item"], filter)) {
      const column = batch.columns.get("_item")
      for (let row = 0; column && row < batch.rows; row++) found.add(String(valueAt(column, row)))
    }
    return [...found]
  }
  return { writer, itemsOf }
}

it("names items whatever is in their names", async () => {
  const { writer, itemsOf } = await openFilled()
  for (const item of NAMES) {
    expect(await itemsOf({ items: [{ item }] })).toEqual([item])
    expect(await itemsOf({ items: [{ item, version: "1" }] })).toEqual([item])
    expect(await itemsOf({ items: [{ item, version: "2" }] })).toEqual([])
  }
  await writer.remove({ items: [{ item: "x' OR '1'='1" }] })
  expect(await itemsOf({})).toEqual(NAMES.filter((name) => name !== "x' OR '1'='1"))
  await writer.close()
})

it("holds for rows that meet every condition", async () => {
  const { writer, itemsOf } = await openFilled()
  expect(await itemsOf({ commit: 2 })).toEqual(["it's"])
  expect(await itemsOf({ after: 2, before: 5, end: true })).toEqual(NAMES.slice(2, 4))
  expect(await itemsOf({ after: 2, items: [{ item: "plain" }, { item: "%" }] })).toEqual(["%"])
  expect(await itemsOf({ items: [{ item: "plain" }, { item: "%", version: "1" }] })).toEqual(["plain", "%"])
  expect(await itemsOf({ items: [] })).toEqual([])
  await writer.close()
})

it("takes as many items and versions as there may be", async () => {
  const { writer, itemsOf } = await openFilled()
  const others = Array.from({ length: 50_000 }, (_, index) => ({ item: `other-${index}`, version: "1" }))
  const filter: RowFilter = { items: [...others, { item: "漢字", version: "1" }, { item: "%" }] }
  expect(await itemsOf(filter)).toEqual(["%", "漢字"])
  await writer.remove(filter)
  expect(await itemsOf({})).not.toContain("漢字")
  await writer.close()
})
