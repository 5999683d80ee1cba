/** Files that change while they are read: no row of the old content beside one of the new, and none under a wrong version. */
import { renameSync, writeFileSync } from "node:fs"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it } from "vitest"
import { Tabular } from "../../src/formats/tabular/tabular.ts"
import type { Item } from "../../src/model/item.ts"
import type { NormalizeContext, Rows } from "../../src/model/normalizer.ts"
import { normalizeFile } from "../../src/normalizers/file.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { files } from "../../src/sources/files.ts"
import { collect } from "../fixtures/collect.ts"
import { itemAt } from "../fixtures/fileitem.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"

const context = (tempDir: string): NormalizeContext => ({
  signal: new AbortController().signal,
  tempDir,
  maxBytes: 1 << 28,
  progress: () => {},
  partial: () => {},
})

/** Reads the item's first rows, lets something happen, and then reads the others. */
const readAround = async (rows: AsyncIterable<Rows>, change: () => void): Promise<void> => {
  let first = true
  for await (const _ of rows) {
    if (first) change()
    first = false
  }
}

it("a file that is written anew in the middle of a run costs its item, and the next run takes it as it is", async () => {
  const folder = await tempFolder()
  const path = join(folder, "a.txt")
  await writeFile(path, "old ".repeat(8 << 20))
  const database = new MemoryDatabase()
  const plan = () =>
    filesPlan(
      { name: "x", source: files({ include: folder }), sink: memory({ table: "t", database }) },
      { flushEvery: 100, commitEvery: 100 },
    )
  let commits = 0
  const summary = await run(plan(), {
    onEvent: (event) => {
      // A worker is never so far ahead that it has read all of it by now.
      if (event.type === "committed" && commits++ === 0) writeFileSync(path, "new ".repeat(500))
    },
  })
  expect(summary).toMatchObject({ rows: expect.any(Number), items: { listed: 1, done: 0, failed: 1 } })
  expect(commits).toBeGreaterThan(0)
  expect(database.rows("t").rows).toBe(0)
  expect(rowsOf(database.rows("t__items"), ["error"])).toEqual([
    { error: expect.stringMatching(/^the file changed while it was read: .*run again to take it as it is now/) },
  ])
  expect((await run(plan())).items).toMatchObject({ done: 1, failed: 0 })
  const texts = rowsOf(database.rows("t"), ["text"]).map(({ text }) => String(text))
  expect(texts.join("")).toMatch(/^(new )+$/)
})

it("a video in whose place another one is put is noticed, though decoders open it by name", async () => {
  const folder = await tempFolder()
  const [path, other] = [join(folder, "a.mp4"), join(folder, "b.mp4")]
  writeVideo(path, { seconds: 25 })
  writeVideo(other, { seconds: 12, firstNumber: 1000 })
  const rows = normalizeFile(await itemAt(path), { lane: "process" }, context(folder))
  await expect(readAround(rows, () => renameSync(other, path))).rejects.toThrow("the file changed while it was read")
})

it("a table in whose place another one is put is noticed, and one that goes", async () => {
  for (const gone of [false, true]) {
    const folder = await tempFolder()
    const [path, other] = [join(folder, "a.csv"), join(await tempFolder(), "b.csv")]
    await writeFile(path, `id\n${"1\n".repeat(50_000)}`)
    await writeFile(other, `id\n${"2\n".repeat(70_000)}`)
    const { source, code } = new Tabular({ path: folder }).feed(new Map())
    if (!("normalize" in code)) throw new Error("DuckDB is called from the main thread")
    const [item] = await collect(source.items({ signal: new AbortController().signal, warn: () => {} }))
    const rows = code.normalize(item as Item, {}, context(folder))
    const change = () => renameSync(gone ? path : other, gone ? other : path)
    await expect(readAround(rows, change)).rejects.toThrow("the file changed while it was read")
  }
})
