/** The commands as they are typed, on a small folder: what they print where, and how they exit. */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { beforeAll, describe, expect, it, vi } from "vitest"
import { textColumn } from "../../src/model/column.ts"
import type { Summary } from "../../src/model/events.ts"
import { sql } from "../fixtures/duckdb.ts"
import { type Ended, sluice } from "../fixtures/sluice.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each test starts several processes; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

let cwd = ""
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  sluice(args, { cwd, env })

beforeAll(async () => {
  cwd = await tempFolder()
  await mkdir(join(cwd, "docs/sub"), { recursive: true })
  for (const animal of ["fox", "otter", "heron"]) {
    await writeFile(join(cwd, `docs/${animal}.txt`), `The ${animal} waits at the lock gate.\n`)
  }
  await writeFile(join(cwd, "docs/sub/long.md"), "river gate ".repeat(300))
  await writeFile(join(cwd, "docs/.hidden.txt"), "not seen")
  await mkdir(join(cwd, "bad"))
  await writeFile(join(cwd, "bad/\u001b[31mnot a picture.png"), "text")
  for (let i = 0; i < 8; i++) await writeFile(join(cwd, `bad/broken-${i}.png`), "text")
})

describe("ingest", () => {
  it("adds files, says so on standard error, and finds nothing new the second time", async () => {
    const first = await run(["ingest", "docs", "--table", "docs", "--index", "text"])
    expect(first).toMatchObject({ code: 0, stdout: "" })
    expect(first.stderr).toMatch(/^done: 4 items, 7 rows, 3\.3 KiB in \d+\.\d s$/m)
    expect(first.stderr).toContain("rows:  text 7\n")
    expect(first.stderr).toContain("items: 4 listed: 4 done\n")
    expect(first.stderr).toContain("table: docs in ./data, version 2\n")

    const second = await run(["ingest", "docs", "--table", "docs"])
    expect(second).toMatchObject({ code: 0, stdout: "" })
    expect(second.stderr).toContain("nothing new: 4 items are in the table already\n")
  })

  it("prints the summary as one object with --json, and takes options", async () => {
    const options = ["--chunk-size", "100", "--chunk-overlap", "0", "--include-hidden", "--exclude", "sub", "--json"]
    const { code, stdout, stderr } = await run(["ingest", "docs", "--table", "small", ...options])
    expect(code).toBe(0)
    expect(stderr).toBe("")
    expect(stdout.trim().split("\n")).toHaveLength(1)
    const { run: id, seconds, bytes, ...summary } = JSON.parse(stdout) as Summary
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    expect(seconds).toBeGreaterThan(0)
    expect(bytes).toBe(108)
    expect(summary).toEqual({
      pipeline: "small",
      table: "small",
      uri: "./data",
      version: 1,
      ending: "complete",
      items: {
        listed: 4,
        done: 4,
        partial: 0,
        unchanged: 0,
        outdated: 0,
        empty: 0,
        failed: 0,
        pending: 0,
        removed: 0,
      },
      rows: 4,
      rowsByMedium: { text: 4 },
      warnings: [],
    })
  })

  it("shows the first failures, counts the rest, and says where they are", async () => {
    const { code, stderr } = await run(["ingest", "bad", "docs", "--table", "mixed", "--uri", "other db"])
    expect(code).toBe(0)
    expect(stderr.match(/^failed: /gm)).toHaveLength(5)
    expect(stderr).toContain("failed: bad/\\x1b[31mnot a picture.png: ")
    expect(stderr).not.toContain("\u001b")
    expect(stderr).toContain("... and 4 more; see table mixed__items\n")
    expect(stderr).toContain("sluice dead-letters mixed --uri 'other db'\n")
    const inspected = await run(["inspect", "mixed", "--uri", "other db"])
    expect(inspected.stdout).toContain("items       4 done, 9 failed\n")
    expect(inspected.stdout).toContain("bad/\\x1b[31mnot a picture.png: failed (normalize): Expected a picture")
    expect(inspected.stdout).not.toContain("\u001b")
  })

  it("exits with 3 when too many items fail, and keeps what is good", async () => {
    const { code, stdout, stderr } = await run([
      "ingest",
      "docs",
      "bad",
      "--table",
      "few",
      "--max-errors",
      "2",
      "--json",
    ])
    expect(code).toBe(3)
    expect(stderr).toContain("too many items failed; stopping\n")
    const { ending, items } = JSON.parse(stdout) as Summary
    expect(ending).toBe("too-many-failures")
    expect(items.listed).toBe(items.done + items.failed + items.pending)
  })
})

describe("reading commands", () => {
  it("list, describe, search and export what was ingested", async () => {
    const tables = await run(["tables", "--format", "json"])
    expect(JSON.parse(tables.stdout)).toContainEqual({ table: "docs" })
    expect((await run(["tables"], { SLUICE_URI: "./nowhere" })).stderr).toBe("no tables in ./nowhere\n")

    const inspected = await run(["inspect", "docs", "--format", "json"])
    expect(JSON.parse(inspected.stdout)).toMatchObject({ table: "docs", rows: 7, items: { done: 4 }, records: [] })
    expect((await run(["inspect", "docs", "--format", "csv"])).stdout).toMatch(
      /^name,type,bytes\nid,TEXT,252\nfile_id,TEXT,252\nchunk_index,INT32,28\ntext,TEXT,\d+\n$/,
    )

    const found = await run(["search", "docs", "otter", "heron", "--format", "json"])
    const rows = JSON.parse(found.stdout) as { _item: string; text: string; _score: number }[]
    expect(rows.map((row) => row._item).sort()).toEqual(["heron.txt", "otter.txt"])
    const csv = await run(["search", "docs", "gate", "--limit", "2", "--format", "csv"])
    expect(csv.stdout).toMatch(/^_item,_row,text,_score\n(.+\n)*"?/)
    expect((await run(["search", "docs", "otter"])).stdout).toContain("The otter waits at the lock gate.")
    expect(await run(["search", "docs", "giraffe"])).toMatchObject({ code: 0, stdout: "" })
    await writeFile(join(cwd, "vector.json"), "[1, 0]")
    const both = ["search", "docs", "otter", "--where", "_row < 0", "--vector-from", "vector.json"]
    expect((await run(both)).stderr).toContain('Table "docs" has no EMBEDDING column to search')

    const question = `SELECT _item, chunk_index, '\\x89504e47'::bytea AS b, text FROM docs WHERE text LIKE $1 ORDER BY 1 LIMIT $2`
    const params = ["--param", "%waits at%", "--param", "2"]
    const asked = await run(["query", question, ...params, "--format", "json"])
    expect(JSON.parse(asked.stdout)).toEqual(
      ["fox", "heron"].map((animal) => ({
        _item: `${animal}.txt`,
        chunk_index: 0,
        b: "bytes, 4 B",
        text: `The ${animal} waits at the lock gate.\n`,
      })),
    )
    expect((await run(["query", "SELECT count(*), 'a,b' AS t FROM docs", "--format", "csv"])).stdout).toBe(
      'count,t\n7,"a,b"\n',
    )
    expect(await run(["query", "SELECT txt FROM docs"])).toMatchObject({
      code: 1,
      stdout: "",
      stderr: 'error: SQL 1:8: there is no column "txt"; did you mean "text"?\n',
    })
    expect((await run(["query", "SELECT text FROM docs WHERE false"])).stdout).toBe("text\n----\n")

    const exported = await run(["export", "docs", "out", "--column", "text"])
    expect(exported).toMatchObject({ code: 0, stdout: "" })
    expect(exported.stderr).toMatch(/^exported 7 files/)
    expect(await readdir(join(cwd, "out"))).toHaveLength(7)
    expect(await readFile(join(cwd, "out/fox.txt-0.txt"), "utf8")).toBe("The fox waits at the lock gate.\n")

    const parquet = await run([
      "export",
      "docs",
      "out/docs.parquet",
      "--columns",
      "text,id",
      "--where",
      "chunk_index = 0",
    ])
    expect(parquet).toMatchObject({ code: 0, stdout: "" })
    expect(parquet.stderr).toMatch(/^exported 4 rows \(.* KiB\) to out\/docs.parquet\n$/)
    expect(await sql(`select text from '${join(cwd, "out/docs.parquet")}' where text like '%fox%'`)).toEqual([
      { text: "The fox waits at the lock gate.\n" },
    ])

    expect((await run(["unlock", "docs"])).stderr).toBe("table docs in ./data is not locked\n")
  })
})

it("search shows the place of a long text where the words are", async () => {
  const uri = join(cwd, "long")
  const text = `${"nothing of note ".repeat(20)}But then the Otter swims`
  await writeTable(uri, "notes", [["a", { text: textColumn([text, "an otter"]) }]])
  const { stdout } = await run(["search", "notes", "otter", "--uri", uri])
  expect(stdout).toContain("  …But then the Otter swims  ")
  expect(stdout).toContain("  an otter  ")
  const json = await run(["search", "notes", "swims", "--uri", uri, "--format", "json"])
  expect(JSON.parse(json.stdout)).toMatchObject([{ text }])
})

it("versions are named, compared, looked at and restored", async () => {
  const uri = join(cwd, "versions")
  const at = ["--uri", uri]
  await writeTable(uri, "notes", [["a", { text: textColumn(["the fox", "the owl"]) }]], ["text"])
  expect(await run(["tag", "notes", "begun", ...at])).toMatchObject({
    code: 0,
    stderr: "begun is version 2 of notes\n",
  })
  await writeTable(uri, "notes", [["b", { text: textColumn(["the otter"]) }]])
  const diff = await run(["diff", "notes", "begun", "--format", "csv", ...at])
  expect(diff).toMatchObject({
    stdout: "change,item,before,after\nadded,b,,1\n",
    stderr: "items: 1 added, 0 changed, 0 removed\n",
  })
  const inspected = await run(["inspect", "notes", "--at", "begun", "--rows", "1", ...at])
  expect(inspected.stdout).toContain("versions    3 kept, from 1 on; begun is 2\nrows        2\n")
  expect(inspected.stdout).toMatch(/text {2}TEXT {2}14 B\n\ntext\n-------\nthe fox\n$/)
  const found = await run(["search", "notes", "otter", "--at", "begun", ...at])
  expect(found).toMatchObject({ code: 0, stdout: "", stderr: "no row of notes has any of these words\n" })
  const counted = await run(["query", "SELECT count(*) FROM notes", "--at", "begun", "--format", "csv", ...at])
  expect(counted.stdout).toBe("count\n2\n")
  expect((await run(["restore", "notes", "begun", ...at])).stderr).toMatch(
    /with 2 rows, as version 4; sluice restore notes 3/,
  )
  const versions = JSON.parse((await run(["versions", "notes", "--format", "json", ...at])).stdout)
  expect(versions).toMatchObject([{ version: 4, mode: "restore" }, { version: 3 }, { version: 2, tags: ["begun"] }, {}])
  const deleted = await run(["query", "DELETE FROM notes WHERE text = 'the owl'", ...at])
  expect(deleted).toMatchObject({ code: 0, stdout: "", stderr: "1 row deleted\n" })
  expect((await run(["versions", "notes", "--limit", "1", ...at])).stdout).toMatch(/^ +6 .* by hand$/m)
  const missing = await run(["export", "notes", "out.parquet", "--at", "7", ...at])
  expect(missing).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/has no version 7: it has 6 versions from 1 to 6/),
  })
  expect(await run(["drop", "notes", ...at])).toMatchObject({ code: 2, stderr: expect.stringContaining("add --yes") })
  expect(await run(["drop", "notes", "--yes", ...at])).toMatchObject({ code: 0, stderr: "dropped notes\n" })
  expect((await run(["drop", "notes", "--yes", ...at])).stderr).toContain('Table "notes" does not exist')
})

describe("run and validate", () => {
  it("take the example that comes with Sluice as it is", async () => {
    const example = resolve("pipelines/documents.yaml")
    const checked = await run(["validate", example])
    const [valid, once, durability, ...more] = checked.stdout.split("\n")
    expect(checked).toMatchObject({ code: 0, stderr: "" })
    expect([valid, more]).toEqual([`${example}: pipeline "documents" is valid`, [""]])
    expect(once).toMatch(/^ {2}exactly once: each row/)
    expect(durability).toMatch(/^ {2}durability: a commit survives the end of the process/)
    const { code, stdout } = await run(["run", example, "--json"])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ pipeline: "documents", table: "documents", rows: 7, items: { done: 4 } })
  })

  it("validate shows when a document with a schedule is run next", async () => {
    const head = "version: 1\nname: yearly\nsource: { type: files, include: docs }\nsink: { type: lance, table: y }\n"
    await writeFile(join(cwd, "yearly.yaml"), `${head}schedule: { cron: "30 12 24 dec *", timezone: Asia/Tokyo }\n`)
    const { code, stdout } = await run(["validate", "yearly.yaml"])
    expect(code).toBe(0)
    const lines = stdout.split("\n").slice(3)
    expect(lines[0]).toBe("  30 12 24 dec * in Asia/Tokyo, next at")
    const years = lines.slice(1, -1).map((line) => Number(/^ {2}(\d+)-12-24 12:30:00 \S+$/.exec(line)?.[1]))
    const [first = 0] = years
    expect(years).toEqual([0, 1, 2, 3, 4].map((more) => first + more))
  })

  it("run one document after the other, with overrides", async () => {
    const document = (name: string): string =>
      `version: 1\nname: ${name}\nsource: { type: files, include: docs/${name}.txt }\nsink: { type: lance, table: ${name} }\n`
    await writeFile(join(cwd, "fox.yaml"), document("fox"))
    await writeFile(join(cwd, "otter.yaml"), document("otter"))
    const { code, stdout } = await run(["run", "fox.yaml", "otter.yaml", "--set", "sink.uri=./both", "--json"])
    expect(code).toBe(0)
    const summaries = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Summary)
    expect(summaries.map(({ pipeline, uri, rows }) => ({ pipeline, uri, rows }))).toEqual([
      { pipeline: "fox", uri: "./both", rows: 1 },
      { pipeline: "otter", uri: "./both", rows: 1 },
    ])
  })

  it("tell all problems of all documents, and run none of them", async () => {
    await writeFile(
      join(cwd, "good.yaml"),
      "version: 1\nname: g\nsource: { type: files, include: docs }\nsink: { type: lance, table: g }\n",
    )
    await writeFile(
      join(cwd, "wrong.yaml"),
      "version: 1\nnam: w\nsource: { type: files, include: docs }\nsink: { type: lance, table: w }\n",
    )
    const { code, stdout, stderr } = await run(["run", "good.yaml", "wrong.yaml", "missing.yaml"])
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr.split("\n")).toEqual([
      "wrong.yaml:1:1  name: missing; it is required",
      'wrong.yaml:2:1  nam: unknown key; did you mean "name"?',
      "missing.yaml: there is no such file; expected a pipeline document in YAML",
      "",
    ])
    expect((await run(["tables", "--format", "csv"])).stdout.split("\n")).not.toContain("g")
  })
})

describe("failures", () => {
  it.each([
    [1, "error: File not found: nowhere", ["ingest", "nowhere", "--table", "t"]],
    [1, 'error: Table "nope" does not exist', ["inspect", "nope"]],
    [1, 'error: Table "nope" does not exist', ["search", "nope", "words"]],
    [1, 'error: Table already exists: "docs"', ["ingest", "docs", "--table", "docs", "--mode", "error"]],
    [
      2,
      "error: Expected a folder of tables as uri, found the file docs/fox.txt",
      ["ingest", "docs", "--table", "t", "--uri", "docs/fox.txt"],
    ],
    [2, 'error: Expected a file that ends in .parquet, found "out"', ["export", "docs", "out"]],
    [1, "error: Pushing needs a token that may write", ["push", "docs", "me/docs", "--hub-url", "http://127.0.0.1:1"]],
    [2, "error: --where is for Parquet files", ["export", "docs", "out", "--column", "text", "--where", "true"]],
    [2, "error: Expected a table name of letters, digits", ["ingest", "docs", "--table", "../t"]],
    [2, "error: normalize.video.segment: expected a duration", ["ingest", "docs", "--table", "t", "--segment", "x"]],
    [
      2,
      "error: option '--threads <n>' argument 'two' is invalid",
      ["ingest", "docs", "--table", "t", "--threads", "two"],
    ],
    [2, "error: required option '--table <name>' not specified", ["ingest", "docs"]],
    [2, "error: unknown option '--\\x1b[31m'", ["tables", "--\u001b[31m"]],
    [2, "error: unknown command 'ingst'\n(Did you mean ingest?)", ["ingst"]],
    [2, "Usage: sluice", []],
  ])("exit with %i: %s", async (code, message, args) => {
    const ended = await run(args)
    expect(ended).toMatchObject({ code, stdout: "" })
    expect(ended.stderr.startsWith(message)).toBe(true)
    expect(ended.stderr).not.toContain("    at ")
    expect(ended.stderr).not.toContain("bug in sluice")
  })

  it("are not help that was asked for", async () => {
    expect(await run(["--help"])).toMatchObject({ code: 0, stderr: "" })
    expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})
