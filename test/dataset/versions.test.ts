/** Versions of a table that real runs have made from a folder that changes: listed, compared, restored, run on. */
import { execFile } from "node:child_process"
import { cp, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { beforeAll, describe, expect, it } from "vitest"
import { Client } from "../../src/client.ts"
import { dropTable } from "../../src/dataset/catalog.ts"
import { listRuns } from "../../src/dataset/runs.ts"
import { searchText } from "../../src/dataset/search.ts"
import { openTable } from "../../src/dataset/training/index.ts"
import {
  branchTable,
  deleteTag,
  deleteView,
  diffVersions,
  type ItemChange,
  listVersions,
  listViews,
  loadView,
  restoreVersion,
  saveView,
  tagVersion,
} from "../../src/dataset/versions/index.ts"
import { textColumn } from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { leftovers, type Snapshot, sorted, takeSnapshot } from "../../src/selftest/snapshot.ts"
import { lance } from "../../src/sinks/lance.ts"
import { files } from "../../src/sources/files.ts"
import { connect } from "../../src/store/database.ts"
import { recordRun } from "../../src/store/runs.ts"
import { datasetOf } from "../fixtures/dataset.ts"
import { runRecord } from "../fixtures/runs.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

let root = ""
let folder = ""
/** A database with two runs: of the folder as it was, and as it is. */
let built = ""
let first: Snapshot
let second: Snapshot

const sync = (uri: string) =>
  run(
    filesPlan(
      { name: "notes", source: files({ include: folder }), sink: lance({ uri, table: "t", index: ["text"] }) },
      { mode: "sync", maxDeleteRatio: 1, flushEvery: 2, commitEvery: 4, workers: { threads: 1 } },
    ),
  )

const snapshot = async (uri: string): Promise<Snapshot> => sorted(await takeSnapshot(uri))

const copy = async (name: string): Promise<string> => {
  const uri = join(root, name)
  await cp(built, uri, { recursive: true, preserveTimestamps: true })
  return uri
}

const versionOf = async (uri: string): Promise<number> => {
  await using table = await openTable(uri, "t")
  return table.version
}

const changes = async (uri: string, a: number | string, b?: number | string): Promise<ItemChange[]> => {
  const found: ItemChange[] = []
  for await (const change of diffVersions(uri, "t", a, b)) found.push(change)
  return found.sort((one, other) => (one.item < other.item ? -1 : 1))
}

let after1 = 0
let after2 = 0

beforeAll(async () => {
  root = await tempFolder()
  folder = join(root, "files")
  built = join(root, "built")
  await datasetOf(
    {
      "a.txt": "the first note",
      "b.txt": "long ".repeat(1200),
      "c.txt": "to be changed",
      "d.txt": "to be removed",
      "e.txt": "",
      "p.jpg": 90,
      "q.jpg": 60,
      "broken.png": "no picture",
    },
    folder,
  )
  await sync(built)
  first = await snapshot(built)
  after1 = await versionOf(built)
  await tagVersion(built, "t", "first")
  await writeFile(join(folder, "c.txt"), "has been changed ".repeat(100))
  await writeFile(join(folder, "e.txt"), "not empty any more")
  await writeFile(join(folder, "f.txt"), "new")
  await rm(join(folder, "d.txt"))
  await rm(join(folder, "q.jpg"))
  await datasetOf({ "p.jpg": 70, "broken.png": 40 }, folder)
  await sync(built)
  second = await snapshot(built)
  after2 = await versionOf(built)
}, 60_000)

describe("versions", () => {
  it("are told by the runs that made them, and by what else did", async () => {
    const uri = await copy("listed")
    const [newer, older] = await listRuns(uri, "t")
    const [top, bottom] = await listVersions(uri, "t")
    expect(top).toMatchObject({
      version: after2,
      run: newer?.run,
      mode: "sync",
      ending: "complete",
      tags: [],
      kept: true,
    })
    expect(top?.versions).toBe(after2 - after1)
    expect(bottom).toMatchObject({ version: after1, run: older?.run, versions: after1, tags: ["first"] })

    const db = await connect(uri)
    const table = await db.openTable("t")
    await table.delete("_item = 'a.txt'")
    await tagVersion(uri, "t", "inner", { at: 1 })
    await sync(uri)
    const [latest, foreign, , begin] = await listVersions(uri, "t")
    expect(latest).toMatchObject({ mode: "sync", rows: 1 })
    expect(foreign).toMatchObject({ version: after2 + 1, versions: 1, run: null, mode: null, kept: true })
    expect(begin?.tags).toEqual(["first", "inner@1"])

    // What was cleaned up is said, in the list and by whom it is asked for.
    await deleteTag(uri, "t", "first")
    await deleteTag(uri, "t", "inner")
    await table.checkoutLatest()
    await table.optimize({ cleanupOlderThan: new Date() })
    db.close()
    expect((await listVersions(uri, "t")).map(({ version, kept }) => [version, kept]).at(-1)).toEqual([after1, false])
    const now = await versionOf(uri)
    await expect(openTable(uri, "t", { at: after1 })).rejects.toThrow(
      new RegExp(`has no version ${after1}: it was cleaned up.*stands at ${now}.*sluice tag t NAME`),
    )
    await expect(restoreVersion(uri, "t", after1)).rejects.toThrow(/was cleaned up/)
  })

  it("are those of the table that is there, also of a run that was killed; not of one that was dropped", async () => {
    const uri = await tempFolder()
    await writeTable(uri, "t", [["a", { text: textColumn(["x"]) }]])
    const db = await connect(uri)
    const ended = { ended: "2026-01-01T00:00:01.000Z", ending: "complete" }
    const runs = [
      { run: "dropped", first_version: 0, last_version: 9, ...ended },
      { run: "first", started: "2026-01-02T00:00:00.000Z", first_version: 0, last_version: 1, ...ended },
      { run: "killed", started: "2026-01-03T00:00:00.000Z", first_version: 1, last_version: 1 },
    ]
    for (const one of runs) await recordRun(db, uri, runRecord(one))
    db.close()
    await writeTable(uri, "t", [["b", { text: textColumn(["y"]) }]])
    expect((await listVersions(uri, "t")).map(({ version, versions, run }) => [version, versions, run])).toEqual([
      [2, 1, "killed"],
      [1, 1, "first"],
    ])
  })

  it("have names that can be read, moved and taken away", async () => {
    const uri = await copy("tagged")
    await using then = await openTable(uri, "t", { at: "first" })
    expect(then.version).toBe(after1)
    expect(await tagVersion(uri, "t", "first", { at: after1 })).toBe(after1)
    await expect(tagVersion(uri, "t", "first")).rejects.toThrow(`is version ${after1}`)
    expect(await tagVersion(uri, "t", "first", { move: true })).toBe(after2)
    await deleteTag(uri, "t", "first")
    await expect(deleteTag(uri, "t", "first")).rejects.toThrow(/it has none/)
    for (const name of ["12", "a b", ""]) await expect(tagVersion(uri, "t", name)).rejects.toThrow(ConfigError)
  })

  it("differ in items, as the hidden columns say", async () => {
    const expected = [
      ["broken.png", "added"],
      ["c.txt", "changed"],
      ["d.txt", "removed"],
      ["e.txt", "added"],
      ["f.txt", "added"],
      ["p.jpg", "changed"],
      ["q.jpg", "removed"],
    ]
    const found = await changes(built, "first")
    expect(found.map(({ item, change }) => [item, change])).toEqual(expected)
    for (const { change, before, after } of found) {
      expect([before === null, after === null]).toEqual([change === "added", change === "removed"])
      expect(before).not.toBe(after)
    }
    const back = await changes(built, after2, after1)
    expect(back.map(({ before, after }) => [after, before])).toEqual(found.map(({ before, after }) => [before, after]))
    expect(await changes(built, after1, after1)).toEqual([])
  })
})

describe("a restore", () => {
  it("brings back rows, thumbnails and records, is a run of its own, and the next run goes on from there", async () => {
    const uri = await copy("restored")
    const steps: string[] = []
    const result = await restoreVersion(uri, "t", "first", { onStep: (step) => steps.push(step) })
    expect(result).toMatchObject({ from: after2, restored: after1, version: after2 + 1, rows: first.t?.length })
    expect(steps.filter((step) => step.startsWith("restoring"))).toEqual([
      "restoring t__items",
      "restoring t__thumbnails",
      "restoring t",
    ])
    expect(await snapshot(uri)).toEqual(first)
    expect((await searchText(uri, "t", "changed note")).map(({ _item }) => _item).sort()).toEqual(["a.txt", "c.txt"])
    expect(await changes(uri, after1)).toEqual([])
    const [latest] = await listVersions(uri, "t")
    expect(latest).toMatchObject({ version: after2 + 1, mode: "restore", pipeline: `version ${after1}`, kept: true })
    expect((await sync(uri)).items).toMatchObject({ done: 5, unchanged: 2, removed: 2, failed: 0 })
    expect(await snapshot(uri)).toEqual(second)
    // There and back again.
    await restoreVersion(uri, "t", after2)
    expect(await snapshot(uri)).toEqual(second)
    expect((await sync(uri)).items).toMatchObject({ done: 0, removed: 0 })
  })

  it("to the middle of a run leaves what a kill then would have left: the next run completes it", async () => {
    for (const version of [1, after1 + 1]) {
      const uri = await copy(`middle-${version}`)
      await restoreVersion(uri, "t", version)
      expect((await sync(uri)).items).toMatchObject({ pending: 0, outdated: 0 })
      expect(await snapshot(uri)).toEqual(second)
    }
  })

  it.each(["restoring t", "recording it"])(
    "that is killed before %s is completed by the next one who writes",
    async (step) => {
      const uri = await copy(`killed ${step}`)
      const module = fileURLToPath(new URL("../../src/dataset/versions/index.ts", import.meta.url))
      const code = `import { restoreVersion } from ${JSON.stringify(module)}
await restoreVersion(${JSON.stringify(uri)}, "t", "first", {
  onStep: (step) => step === ${JSON.stringify(step)} && process.kill(process.pid, "SIGKILL"),
})`
      const killed = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", code])
      await expect(killed).rejects.toMatchObject({ signal: "SIGKILL" })
      const writer = await lance({ uri, table: "t" }).open({ create: "if-missing" })
      expect(writer.notices).toEqual([expect.stringMatching(new RegExp(`a restore of version ${after1} .* completed`))])
      await writer.close()
      expect(await snapshot(uri)).toEqual(first)
      const restores = (await listRuns(uri, "t")).filter(({ mode }) => mode === "restore")
      expect(restores.map(({ ending, first_version }) => [ending, first_version])).toEqual([["complete", after2]])
      expect(leftovers(uri)).toEqual([])
      await sync(uri)
      expect(await snapshot(uri)).toEqual(second)
    },
  )

  it("is refused while somebody writes, and for a version that is not there", async () => {
    const uri = await copy("refused")
    const writer = await lance({ uri, table: "t" }).open({ create: "if-missing" })
    await expect(restoreVersion(uri, "t", "first")).rejects.toThrow(/is being written by/)
    await writer.close()
    await expect(restoreVersion(uri, "t", 999)).rejects.toThrow(/has no version 999/)
    await expect(restoreVersion(uri, "nope", 1)).rejects.toThrow(TableError)
    expect(leftovers(uri)).toEqual([])
    expect(await snapshot(uri)).toEqual(second)
  })
})

it("a view that is kept has the same rows later", async () => {
  const uri = await copy("views")
  const client = new Client({ uri })
  const query = "SELECT text, _item WHERE text LIKE '%note%' OR text LIKE '%changed%' ORDER BY _item"
  const rowsOf = async (name: string) => {
    await using view = await client.loadView("t", name)
    const rows: unknown[] = []
    for await (const { _item } of view.batches<{ _item: string[] }>(10, { columns: ["_item"] })) rows.push(..._item)
    return rows
  }
  expect(await saveView(uri, "t", "then", query, { at: "first" })).toBe(2)
  expect(await client.saveView("t", "now", query)).toBeGreaterThan(2)
  expect(await rowsOf("then")).toEqual(["a.txt", "c.txt"])
  const db = await connect(uri)
  await (await db.openTable("t")).delete("_item = 'a.txt'")
  db.close()
  expect(new Set(await rowsOf("now"))).toEqual(new Set(["a.txt", "c.txt"]))
  expect(await rowsOf("then")).toEqual(["a.txt", "c.txt"])
  expect((await listViews(uri, "t")).map(({ name, version }) => [name, version])).toEqual([
    ["now", after2],
    ["then", after1],
  ])
  await deleteView(uri, "t", "then")
  await expect(loadView(uri, "t", "then")).rejects.toThrow(/has no view "then"; it has now/)
  await expect(saveView(uri, "t", "../x", query)).rejects.toThrow(ConfigError)
  await expect(saveView(uri, "t", "x", "SELECT nope")).rejects.toThrow(TableError)
  // A new table of that name has nothing of the old one.
  await dropTable(uri, "t")
  expect(await listViews(uri, "t")).toEqual([])
})

describe("a branch", () => {
  /** A table of the snapshot with its side tables, as if it were called `t`. */
  const branched = (found: Snapshot, name: string): Snapshot => ({
    t__items: [],
    ...Object.fromEntries(
      Object.entries(found).flatMap(([table, rows]) =>
        table === name || table.startsWith(`${name}__`) ? [[table.replace(name, "t"), rows]] : [],
      ),
    ),
  })

  const syncInto = (uri: string, table: string) =>
    run(
      filesPlan(
        { name: "notes", source: files({ include: folder }), sink: lance({ uri, table, index: ["text"] }) },
        { mode: "sync", maxDeleteRatio: 1, flushEvery: 2, commitEvery: 4, workers: { threads: 1 } },
      ),
    )

  it("begins as the table was, and nothing becomes of one by the other", async () => {
    const uri = await copy("branched")
    expect(await branchTable(uri, "t", "twin", { at: "first" })).toMatchObject({ version: after1 })
    expect(branched(await snapshot(uri), "twin")).toEqual(branched(first, "t"))
    expect(await listVersions(uri, "twin")).toMatchObject([
      { version: after1, mode: "branch", pipeline: `t, version ${after1}` },
    ])
    expect((await searchText(uri, "twin", "changed")).length).toBeGreaterThan(0)

    // What the branch lacks is done, and nothing else; what was there of the table then is what is there now.
    const { items } = await syncInto(uri, "twin")
    expect(items.unchanged).toBeGreaterThan(0)
    expect(items.done).toBeGreaterThan(0)
    expect(branched(await snapshot(uri), "twin")).toEqual(branched(second, "t"))
    expect(branched(await snapshot(uri), "t")).toEqual(branched(second, "t"))

    // Each of them can be cleaned up, and go, without the other.
    await deleteTag(uri, "t", "first")
    const db = await connect(uri)
    for (const name of ["t", "t__thumbnails"]) {
      const table = await db.openTable(name)
      await table.delete("true")
      await table.optimize({ cleanupOlderThan: new Date() })
      table.close()
    }
    db.close()
    await dropTable(uri, "t")
    expect(branched(await snapshot(uri), "twin")).toEqual(branched(second, "t"))
    expect(leftovers(uri)).toEqual([])
  })

  it("is refused where a table is, or none is; what a killed one has left is in nobody's way", async () => {
    const uri = await copy("refused")
    await expect(branchTable(uri, "t", "t")).rejects.toThrow(TableError)
    await expect(branchTable(uri, "gone", "twin")).rejects.toThrow(/"gone" does not exist/)
    await expect(branchTable(uri, "t", "twin", { at: "never" })).rejects.toThrow(/no tag "never"/)
    await expect(branchTable(uri, "t", "a__b")).rejects.toThrow(ConfigError)
    await cp(join(uri, "t__items.lance"), join(uri, "twin__other.lance"), { recursive: true })
    await cp(join(uri, "t.lance"), join(uri, ".tmp-branch-twin"), { recursive: true })
    await branchTable(uri, "t", "twin")
    expect(branched(await snapshot(uri), "twin")).toEqual(branched(second, "t"))
    await expect(branchTable(uri, "t", "twin")).rejects.toThrow(/already exists: "twin"/)
    expect(leftovers(uri)).toEqual([])
  })
})
