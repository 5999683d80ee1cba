/** What comes out of a document that is right. */
import { describe, expect, it } from "vitest"
import { parsePipelines } from "../../src/config/load.ts"
import { loadPipeline, parsePipeline } from "../fixtures/pipeline.ts"

const MINIMAL = "version: 1\nname: a\nsource: { type: files, include: docs }\nsink: { type: lance, table: t }\n"

describe("a document", () => {
  it("needs no more than a name, a source and a sink", async () => {
    const { document, plan } = await parsePipeline(MINIMAL, "p.yaml", {})
    expect(document).toEqual({
      version: 1,
      name: "a",
      source: { type: "files", include: "docs", exclude: [], hidden: false, symlinks: "skip" },
      sink: { type: "lance", uri: "./data", table: "t", mode: "append", durability: "process" },
    })
    expect(plan).toMatchObject({
      name: "a",
      mode: "append",
      flush: { rows: 200 },
      commit: { rows: 2000 },
      errors: { max: 100, maxRatio: 1 },
      sink: { name: "lance", uri: "./data", table: "t" },
      feed: { source: { name: "files" } },
    })
  })

  it("sets everything that a run can be told", async () => {
    const { plan, schedule } = await parsePipeline(
      `${MINIMAL}normalize:
  text: { chunk_size: 50, chunk_overlap: 5 }
  image: { thumbnails: false }
schema: { text: text, vector: EMBEDDING(3) }
flush_every: { rows: 10, bytes: 1MiB, period: 2s }
commit_every: { rows: 100, period: 1m }
index: text
errors: { max: 5, max_ratio: 0.5 }
workers: { threads: 2, timeout: 5s }
shutdown_timeout: 10s
max_item_bytes: 1GiB
schedule: { cron: "0 3 * * mon-fri", timezone: Europe/Berlin, catch_up: last, jitter: 5m }
`,
      "p.yaml",
      {},
    )
    expect(plan).toMatchObject({
      flush: { rows: 10, bytes: 1 << 20, period: 2000 },
      commit: { rows: 100, bytes: 48 << 20, period: 60_000 },
      errors: { max: 5, maxRatio: 0.5 },
      workers: { threads: 2, timeout: 5000 },
      shutdownTimeout: 10_000,
      maxItemBytes: 1 << 30,
      feed: {
        code: { options: { media: { text: { chunk_size: 50, chunk_overlap: 5 }, image: { thumbnails: false } } } },
      },
    })
    expect(schedule).toEqual({
      cron: "0 3 * * mon-fri",
      timezone: "Europe/Berlin",
      overlap: "skip",
      catchUp: "last",
      jitter: 300_000,
    })
    expect([...plan.schema]).toEqual([
      ["text", { name: "TEXT" }],
      ["vector", { name: "EMBEDDING", size: 3 }],
    ])
  })

  it("goes where SLUICE_URI says unless it says so itself", async () => {
    expect((await parsePipeline(MINIMAL, "p.yaml", { SLUICE_URI: "/elsewhere" })).plan.sink.uri).toBe("/elsewhere")
    const own = MINIMAL.replace("table: t", "table: t, uri: ./here")
    expect((await parsePipeline(own, "p.yaml", { SLUICE_URI: "/elsewhere" })).plan.sink.uri).toBe("./here")
  })

  it("may be several in a file, which are all checked", async () => {
    const two = `# first\n${MINIMAL}---\n${MINIMAL.replace("name: a", "name: b")}---\n`
    const loaded = await parsePipelines(two, "p.yaml", {}, ["sink.table=u"])
    expect(loaded.map(({ plan }) => [plan.name, plan.sink.table])).toEqual([
      ["a", "u"],
      ["b", "u"],
    ])
    const wrong = `${MINIMAL.replace("name", "nam")}---\n${MINIMAL.replace("table", "tabel")}`
    await expect(parsePipelines(wrong, "p.yaml", {})).rejects.toThrow(
      /p\.yaml:2:1 {2}nam: unknown key.*\n.*p\.yaml:9:22 {2}sink\.tabel/s,
    )
  })

  it("that comes with Sluice is right", async () => {
    const { document } = await loadPipeline("pipelines/documents.yaml", {})
    expect(document.source?.include).toEqual(["./docs/**"])
    const { document: moved } = await loadPipeline("pipelines/documents.yaml", { DOCS: "/mnt/x" }, ["sink.mode=error"])
    expect(moved).toMatchObject({ source: { include: ["/mnt/x/**"] }, sink: { mode: "error" } })
  })
})
