/** The one-line way in: what `client.ingest` takes, and what it says to what it does not take. */
import { existsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { readRows } from "../src/dataset/rows.ts"
import {
  Client,
  type Columns,
  ConfigError,
  type Format,
  IngestError,
  ManagedClient,
  TableError,
  WorkspaceError,
} from "../src/index.ts"
import { numbers } from "./fixtures/hub/datasets.ts"
import { startHub } from "./fixtures/hub.ts"
import { tempFolder } from "./fixtures/temp.ts"

const rows = async (uri: string, table: string) => {
  const found: Record<string, unknown>[] = []
  for await (const row of readRows(uri, table)) found.push(row)
  return found
}

class Squares implements Format {
  readonly name: string | undefined
  readonly broken: boolean

  constructor(name?: string, broken = false) {
    this.name = name
    this.broken = broken
  }

  *normalize(): Generator<Columns> {
    yield { n: [1, 2], square: [1, 4] }
    yield this.broken ? { n: [3] } : { n: [3], square: [9] }
  }

  schema() {
    return { square: "FLOAT32" }
  }
}

describe("client.ingest", () => {
  it("takes a format; one with a name only once", async () => {
    const client = new Client({ uri: await tempFolder() })
    const first = await client.ingest("squares", null, { format: new Squares("squares") })
    expect(first).toMatchObject({ tableName: "squares", rowCount: 3, summary: { rowsByMedium: { Squares: 3 } } })
    // The format wins over data.
    const again = await client.ingest("squares", { x: [1] }, { format: new Squares("squares") })
    expect(again).toMatchObject({ rowCount: 0, summary: { items: { unchanged: 1 } } })
    await client.ingest("squares", null, { format: new Squares() })
    expect(await rows(client.uri, "squares")).toEqual([1, 2, 3, 1, 2, 3].map((n) => ({ n, square: n * n })))
  })

  it("says what is wrong with a format, and keeps none of its rows", async () => {
    const client = new Client({ uri: await tempFolder() })
    const broken = client.ingest("squares", null, {
      format: new Squares("squares", true),
      commitEvery: 2,
      flushEvery: 1,
    })
    await expect(broken).rejects.toThrow(IngestError)
    await expect(broken).rejects.toThrow(/Batch 1: expected the columns of batch 0.*without "square"/)
    // It is tried again when it was mended.
    expect((await client.ingest("squares", null, { format: new Squares("squares") })).rowCount).toBe(3)
    expect(await rows(client.uri, "squares")).toHaveLength(3)
  })

  it("takes a dataset of the Hub by its name", async () => {
    const hub = await startHub()
    hub.push("o/d", await numbers(1, 10))
    const client = new Client({ uri: await tempFolder() })
    const options = { repo: "o/d", hubUrl: hub.url, datasetsServerUrl: hub.url, cacheDir: await tempFolder() }
    expect((await client.ingest("numbers", { _huggingface: options })).rowCount).toBe(10)
    expect((await client.ingest("numbers", { _huggingface: options })).rowCount).toBe(0)
  })

  it("says what does not come through, and refuses what is neither", async () => {
    const client = new Client({ uri: await tempFolder() })
    await client.ingest("numbers", { n: [1] })
    await expect(client.ingest("numbers", { n: ["x"] })).rejects.toThrow(/"n".*INT64.*found/)
    await expect(client.ingest("numbers", { n: "12" })).rejects.toThrow(
      /"n": expected an array with a value for each row/,
    )
    expect(await client.query("SELECT n FROM numbers")).toEqual([{ n: 1 }])
    const path = join(client.uri, "broken.pdf")
    writeFileSync(path, "%PDF-1.4 and no more")
    const below = new Client({ uri: join(path, "data") }).ingest("t", { n: [1] })
    await expect(below).rejects.toThrow(TableError)
    await expect(below).rejects.toThrow(/^The folder of the database, .*data, cannot be opened or made: /)
    const broken = () => client.ingest("broken", { path: [path] }, { schema: { path: "FILE" } })
    await expect(broken()).rejects.toThrow(/^Nothing came through: .*PDF.* See the table broken__items$/)
    await expect(broken()).rejects.toThrow(/^Nothing came through: it failed in an earlier call already/)
    await expect(client.ingest("t", null)).rejects.toThrow(/data must not be empty/)
    await expect(client.ingest("t", { _huggingface: "o/d", x: [1] })).rejects.toThrow(ConfigError)
    await expect(client.ingest("t", { _huggingface: [1] })).rejects.toThrow(/expected the name of a dataset/)
    await expect(client.ingest("t", { _huggingface: "../d" })).rejects.toThrow(/expected the name of a dataset/)
  })
})

describe("ManagedClient", () => {
  it("keeps the tables of each workspace in a folder of their own", async () => {
    const uri = await tempFolder()
    const [one, two] = ["default", "two"].map((workspaceId) => new ManagedClient({ token: "t", workspaceId, uri }))
    const { datasetPath } = (await one?.ingest("notes", { n: [1] })) ?? {}
    expect(existsSync(datasetPath ?? "")).toBe(true)
    await two?.ingest("notes", { n: [2] })
    expect(await new Client({ uri }).query("SELECT n FROM notes")).toEqual([{ n: 1 }])
    expect(await new Client({ uri: join(uri, "two") }).query("SELECT n FROM notes")).toEqual([{ n: 2 }])
    expect(await one?.listTables()).toEqual(["notes"])
    expect(() => new ManagedClient({ workspaceId: "" })).toThrow("workspace ID is required")
    for (const workspaceId of ["..", "a/b", "notes.lance"]) {
      expect(() => new ManagedClient({ workspaceId })).toThrow(WorkspaceError)
    }
  })
})
