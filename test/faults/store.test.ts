/** Tables whose files are damaged or gone: said, never taken for tables that are not there, never made anew. */
import { cpSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { TableError } from "../../src/model/errors.ts"
import { run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"

const items = itemsOf(Array.from({ length: 20 }, () => ({ rows: 2, notes: true })))
const ingest = (uri: string) => run(testPlan(items, lance({ uri, table: "t" }), "main", { commitEvery: 10 }))

/** Every file with its size. */
const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size}`)
    .sort()

/** Lance counts its manifests down, so that the newest stands first. */
const newest = (table: string): string => {
  const [name = ""] = readdirSync(join(table, "_versions"))
    .filter((one) => one.endsWith(".manifest"))
    .sort()
  return join(table, "_versions", name)
}

it("a torn manifest, of a table or beside it, stops the run and changes nothing", async () => {
  const whole = await tempFolder()
  await ingest(whole)
  const torn: readonly (readonly [table: string, left: (size: number) => number])[] = [
    ["t", (size) => size - 16],
    ["t", () => 0],
    ["t__notes", () => 0],
    ["_sluice_runs", (size) => size >> 1],
  ]
  for (const [table, left] of torn) {
    const uri = await tempFolder()
    cpSync(whole, uri, { recursive: true })
    const manifest = newest(join(uri, `${table}.lance`))
    truncateSync(manifest, left(statSync(manifest).size))
    const before = filesOf(join(uri, `${table}.lance`))
    const error: unknown = await ingest(uri).catch((thrown: unknown) => thrown)
    expect(error, table).toBeInstanceOf(TableError)
    expect(String(error)).toMatch(new RegExp(`Table "${table}" is damaged: its newest version cannot be opened`))
    expect(filesOf(join(uri, `${table}.lance`))).toEqual(before)
    expect(readdirSync(join(uri, ".sluice")).filter((name) => name.endsWith(".lock"))).toEqual([])
  }
})

it("rows that are gone from the disk stop the run and those who read", async () => {
  const uri = await tempFolder()
  await ingest(uri)
  const [data = ""] = readdirSync(join(uri, "t.lance/data"))
  rmSync(join(uri, "t.lance/data", data))
  await expect(ingest(uri)).rejects.toThrow(/Not found/i)
  await expect(inspectTable(uri, "t")).rejects.toThrow(/Not found/i)
  expect(readdirSync(join(uri, "t.lance/data"))).not.toContain(data)
})
