import { existsSync } from "node:fs"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { dropTable, listTables, unlockTable } from "../../src/dataset/catalog.ts"
import { textColumn } from "../../src/model/column.ts"
import { ConfigError, FatalError, TableError } from "../../src/model/errors.ts"
import { lance } from "../../src/sinks/lance.ts"
import { connect } from "../../src/store/database.ts"
import { recordRun } from "../../src/store/runs.ts"
import { runRecord } from "../fixtures/runs.ts"
import { commitItems, writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const TEXT = { text: textColumn(["a"]) }

/** A folder with the tables `docs` (with two side tables) and `docs2`, and a record of a run. */
const database = async (): Promise<string> => {
  const uri = await tempFolder()
  const writer = await lance({ uri, table: "docs" }).open({ create: "new" })
  await commitItems(writer, [["a", TEXT]])
  for (const side of ["items", "thumbnails"]) await commitItems(await writer.side(side), [["a", TEXT]])
  await writer.close()
  await writeTable(uri, "docs2", [["a", TEXT]])
  const db = await connect(uri)
  await recordRun(db, uri, runRecord({ table: "docs" }))
  db.close()
  return uri
}

describe("listTables", () => {
  it("shows the tables of a person, and Sluice's own when asked", async () => {
    const uri = await database()
    expect(await listTables(uri)).toEqual(["docs", "docs2"])
    expect(await listTables(uri, { internal: true })).toEqual([
      "_sluice_runs",
      "docs",
      "docs2",
      "docs__items",
      "docs__thumbnails",
    ])
  })

  it("takes a folder that is not there for an empty one, and does not make it", async () => {
    const uri = join(await tempFolder(), "none")
    expect(await listTables(uri)).toEqual([])
    expect(await listTables(`file://${uri}`)).toEqual([])
    expect(existsSync(uri)).toBe(false)
  })

  it("refuses what is no folder", async () => {
    const file = join(await tempFolder(), "file")
    await writeFile(file, "")
    await expect(listTables(file)).rejects.toThrow(ConfigError)
    await expect(listTables("s3://bucket/data")).rejects.toThrow(/object stores are not supported/)
  })
})

describe("dropTable", () => {
  it("deletes the table with its side tables, and no other", async () => {
    const uri = await database()
    await dropTable(uri, "docs")
    expect(await listTables(uri, { internal: true })).toEqual(["_sluice_runs", "docs2"])
    expect((await readdir(uri)).sort()).toEqual([".sluice", "_sluice_runs.lance", "docs2.lance"])
    await writeTable(uri, "docs", [["b", TEXT]])
    expect(await listTables(uri)).toEqual(["docs", "docs2"])
  })

  it("does not touch a table that is being written", async () => {
    const uri = await tempFolder()
    const writer = await lance({ uri, table: "docs" }).open({ create: "new" })
    await commitItems(writer, [["a", TEXT]])
    await expect(dropTable(uri, "docs")).rejects.toThrow(/is being written by process \d+/)
    await commitItems(writer, [["b", TEXT]])
    await writer.close()
    await dropTable(uri, "docs")
    expect(await listTables(uri)).toEqual([])
  })

  it("finds side tables that a kill left without their table", async () => {
    const uri = await database()
    const db = await connect(uri)
    await db.dropTable("docs")
    db.close()
    await dropTable(uri, "docs", false)
    expect(await listTables(uri, { internal: true })).toEqual(["_sluice_runs", "docs2"])
  })

  it("minds a missing table only when told to, and names that are no table's always", async () => {
    const uri = join(await tempFolder(), "none")
    await dropTable(uri, "docs")
    await expect(dropTable(uri, "docs", false)).rejects.toThrow(TableError)
    expect(existsSync(uri)).toBe(false)
    await mkdir(uri)
    await expect(dropTable(uri, "../docs")).rejects.toThrow(ConfigError)
    await expect(dropTable(uri, "docs__items")).rejects.toThrow(ConfigError)
  })
})

it("unlockTable says who held the table, and stops that one at its next commit", async () => {
  const uri = await tempFolder()
  const writer = await lance({ uri, table: "docs" }).open({ create: "new" })
  await commitItems(writer, [["a", TEXT]])
  expect(await unlockTable(uri, "docs")).toContain(`process ${process.pid} on `)
  expect(await unlockTable(uri, "docs")).toBeUndefined()
  await expect(commitItems(writer, [["b", TEXT]])).rejects.toThrow(FatalError)
  await writer.close()
  expect(() => unlockTable(uri, "../docs")).toThrow(ConfigError)
})
