/** The guide's code is what the page shows, compiles, and does what it says. */
import { EventEmitter, once } from "node:events"
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { json } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { connect } from "@lancedb/lancedb"
import { describe, expect, it } from "vitest"
import { askPhotos } from "../docs/guide/examples/ask-photos.ts"
import { carefulSync } from "../docs/guide/examples/careful-sync.ts"
import { CsvWithImages } from "../docs/guide/examples/csv-with-images.ts"
import { embed } from "../docs/guide/examples/embed.ts"
import { ImageFolderWithEmbeddings } from "../docs/guide/examples/image-folder-with-embeddings.ts"
import { LogLines } from "../docs/guide/examples/log-lines.ts"
import { findNotes } from "../docs/guide/examples/search.ts"
import { askNotes } from "../docs/guide/examples/search-sql.ts"
import { type Checkpoint, train, trainEpoch } from "../docs/guide/examples/train.ts"
import { Client } from "../src/client.ts"
import { parsePipelines } from "../src/config/load.ts"
import { runTest } from "../src/config/run-test.ts"
import { inspectTable } from "../src/dataset/inspect.ts"
import type { SearchRow } from "../src/dataset/search.ts"
import { filesPlan, run, start } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { problemsOfBlocks } from "./fixtures/code-blocks.ts"
import { picture } from "./fixtures/image.ts"
import { tempFolder } from "./fixtures/temp.ts"

const GUIDE = new URL("../docs/guide/", import.meta.url)
const SRC = new URL("../src/", import.meta.url)
const pages = readdirSync(GUIDE).filter((name) => name.endsWith(".md"))

/** `<!-- examples/a.ts -->` and the code block after it. */
const quotes = (page: string) => [...page.matchAll(/<!-- (examples\/\S+) -->\n```ts\n(.*?)```/gs)]

describe("the guide", () => {
  it("shows every example as it is, in under 30 lines", () => {
    const shown = new Map<string, string>()
    for (const page of pages) {
      for (const [, name = "", code = ""] of quotes(readFileSync(new URL(page, GUIDE), "utf8"))) shown.set(name, code)
    }
    const examples = readdirSync(new URL("examples/", GUIDE)).map((name) => `examples/${name}`)
    expect([...shown.keys()].sort()).toEqual(examples.sort())
    for (const [name, code] of shown) {
      expect(code, name).toBe(readFileSync(new URL(name, GUIDE), "utf8"))
      expect(code.trimEnd().split("\n").length, name).toBeLessThan(30)
    }
  })

  it("shows TypeScript that compiles, and so do the docstrings' examples and the README", async () => {
    const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))
    const files = [
      fileURLToPath(new URL("../README.md", import.meta.url)),
      ...pages.map((page) => fileURLToPath(new URL(page, GUIDE))),
      ...sources.map((name) => fileURLToPath(new URL(name, SRC))),
    ]
    expect(await problemsOfBlocks(files)).toBe("")
  })

  it("shows pipelines that are right, and whose tests hold", async () => {
    for (const page of [...pages, "../../README.md"]) {
      const text = readFileSync(new URL(page, GUIDE), "utf8")
      for (const [, yaml = ""] of text.matchAll(/```yaml\n(version: 1\n.*?)```/gs)) {
        const loaded = await parsePipelines(yaml, fileURLToPath(new URL(page, GUIDE)), { HF_TOKEN: "hf_token" })
        expect(loaded.length, page).toBeGreaterThan(0)
        for (const test of loaded.flatMap(({ tests }) => tests))
          expect((await runTest(test)).problems, page).toEqual([])
      }
    }
  })
})

const rowsOf = async (client: Client, table: string, columns: readonly string[]) => {
  const rows = await (await (await connect(client.uri)).openTable(table))
    .query()
    .select([...columns])
    .toArray()
  return rows.map((row) => columns.map((name) => (row[name]?.toArray ? Array.from(row[name]) : row[name])))
}

const typesOf = async (client: Client, table: string) =>
  Object.fromEntries((await inspectTable(client.uri, table)).columns.map(({ name, type }) => [name, type]))

describe("an example", () => {
  it("CsvWithImages: a row for each picture that is there, with thumbnails", async () => {
    const dir = await tempFolder()
    const images: Buffer[] = []
    const lines = ["image_file,label,confidence"]
    for (let i = 0; i < 120; i++) {
      images.push(
        await picture(8 + i, 8)
          .jpeg()
          .toBuffer(),
      )
      if (i !== 7) writeFileSync(join(dir, `${i}.jpg`), images[i] ?? "")
      lines.push(`${i}.jpg,${i % 2 ? "odd" : "even"},${i / 200}`)
    }
    writeFileSync(join(dir, "annotations.csv"), `${lines.join("\n")}\n`)
    const client = new Client({ uri: join(dir, "data") })
    const format = new CsvWithImages({ csv: join(dir, "annotations.csv"), images: dir })
    const { rowCount, summary } = await client.ingest("labeled_images", null, { format })
    expect(rowCount).toBe(119)
    expect(summary.rowsByMedium).toEqual({ CsvWithImages: 119 })
    expect(await typesOf(client, "labeled_images")).toEqual({ image: "IMAGE", label: "TEXT", confidence: "FLOAT64" })
    const rows = await rowsOf(client, "labeled_images", ["label", "confidence", "image"])
    expect(rows.map(([label, confidence]) => [label, confidence])).toEqual(
      images.map((_, i) => [i % 2 ? "odd" : "even", i / 200]).filter((_, i) => i !== 7),
    )
    expect(Buffer.compare(Buffer.from(rows[8]?.[2]), images[9] ?? Buffer.of())).toBe(0)
    expect((await rowsOf(client, "labeled_images__thumbnails", ["dimension"])).length).toBe(4 * 119)
  })

  it("ImageFolderWithEmbeddings: pictures with vectors, and types that the caller gives", async () => {
    const dir = await tempFolder()
    const embeddings: Record<string, number[]> = {}
    for (const label of ["dog", "cat"]) {
      mkdirSync(join(dir, "train", label), { recursive: true })
      for (let i = 0; i < 3; i++) {
        writeFileSync(join(dir, "train", label, `${label}-${i}.jpg`), await picture(20, 10).jpeg().toBuffer())
        if (i < 2) embeddings[`${label}-${i}.jpg`] = [i, 0.5, label.length]
      }
    }
    writeFileSync(join(dir, "embeddings.json"), JSON.stringify(embeddings))
    const client = new Client({ uri: join(dir, "data") })
    const format = new ImageFolderWithEmbeddings({ root: join(dir, "train"), embeddings: join(dir, "embeddings.json") })
    await client.ingest("classified_images", null, { format, schema: { image: "IMAGE" } })
    expect(await typesOf(client, "classified_images")).toMatchObject({ image: "IMAGE", embedding: "EMBEDDING(3)" })
    expect(await rowsOf(client, "classified_images", ["label", "filename", "embedding"])).toEqual([
      ["cat", "cat-0.jpg", [0, 0.5, 3]],
      ["cat", "cat-1.jpg", [1, 0.5, 3]],
      ["dog", "dog-0.jpg", [0, 0.5, 3]],
      ["dog", "dog-1.jpg", [1, 0.5, 3]],
    ])
    await client.ingest("plain", null, { format })
    expect(await typesOf(client, "plain")).toMatchObject({ image: "BINARY" })
  })

  it("askPhotos, and all SQL of its page: answers about pictures in a table", async () => {
    const client = new Client({ uri: await tempFolder() })
    const ids = Array.from({ length: 30 }, (_, id) => id)
    await client.ingest("photos", {
      id: ids,
      label: ids.map((id) => (id === 0 ? "lone" : id % 3 === 0 ? "Cat" : "dog")),
      width: ids.map((id) => id * 50),
      image: ids.map((id) => new Uint8Array(id + 1)),
      caption: ids.map((id) => `picture ${id}`),
      info: ids.map((id) => ({ camera: id % 2 ? "X100" : "pinhole" })),
    })
    await client.ingest("names", { label: ["dog", "lone"], name: ["Dog", "nobody"] })
    expect(await askPhotos(client.uri, "dog")).toEqual({
      largest: [29, 28, 26].map((id) => ({ id, bytes: id + 1 })),
      labels: [
        { label: "dog", count: 20 },
        { label: "Cat", count: 9 },
      ],
    })
    const page = readFileSync(new URL("query.md", GUIDE), "utf8")
    const answers: unknown[] = []
    for (const [, sql = ""] of page.matchAll(/```sql\n(.*?)```/gs)) answers.push((await client.query(sql)).length)
    expect(answers).toEqual([3, 7, 15, 5, 2, 0, 0])
    expect(
      await client.query("SELECT label, count(*), min(width) AS min FROM photos GROUP BY label ORDER BY label"),
    ).toEqual([
      { label: "cat", count: 10, min: 150 },
      { label: "dog", count: 21, min: 0 },
    ])
  })

  it("embed: a vector for each text, and no call that outlives its run", async () => {
    const dir = await tempFolder()
    mkdirSync(join(dir, "notes"))
    for (let i = 0; i < 100; i++) writeFileSync(join(dir, "notes", `${i}.md`), `note ${i}`)
    writeFileSync(join(dir, "notes", "blank.md"), "  \n")
    writeFileSync(join(dir, "notes", "blob.bin"), Buffer.alloc(100, 1))
    let calls = 0
    let answers = false
    const asked = new EventEmitter()
    const server = createServer(async (request, response) => {
      response.once("close", () => asked.emit("closed"))
      asked.emit("call")
      if (!answers) return
      if (calls++ === 0) return void response.writeHead(503).end()
      const { texts } = (await json(request)) as { readonly texts: readonly string[] }
      const vectors = texts.map((text) => new Array(384).fill(Number(text.slice(5))))
      response.end(JSON.stringify({ vectors }))
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    try {
      const uri = join(dir, "data")
      const plan = embed(join(dir, "notes"), `http://127.0.0.1:${(server.address() as AddressInfo).port}`, uri)
      const handle = start(plan)
      await once(asked, "call")
      const closed = once(asked, "closed")
      handle.cancel({ drain: false })
      expect((await handle.result).ending).toBe("interrupted")
      await closed

      answers = true
      expect((await run(plan)).items).toMatchObject({ listed: 102, done: 100, empty: 2 })
      expect(calls).toBeGreaterThan(1)
      const rows = await rowsOf(new Client({ uri }), "notes", ["text", "embedding"])
      const order = Array.from({ length: 100 }, (_, i) => `${i}.md`).sort()
      expect(rows.map(([text]) => text)).toEqual(order.map((name) => `note ${parseInt(name, 10)}`))
      for (const [text, vector] of rows) expect(vector).toEqual(new Array(384).fill(Number(text.slice(5))))
    } finally {
      server.close()
    }
  })

  it("search: finds what the page says", async () => {
    const uri = join(await tempFolder(), "data")
    const found = await findNotes(uri)
    const notes = (rows: readonly SearchRow[]) => rows.map((row) => row.n)
    expect(notes(found.words)).toEqual([1, 3])
    expect(found.all).toEqual([{ n: 3, _score: 1 }])
    expect(found.near).toEqual([
      { n: 3, _score: 1 },
      { n: 2, _score: expect.closeTo(0.6, 6) },
    ])
    expect(notes(found.both)).toEqual([3, 4, 2])
    expect(notes(found.stems).sort()).toEqual([1, 2])
    expect(found.indexes).toMatchObject([{ column: "text", type: "BM25", indexedRows: 4, unindexedRows: 0 }])
    const asked = await askNotes(uri)
    const numbers = (rows: readonly { readonly n?: unknown }[]) => rows.map(({ n }) => n)
    expect(asked.near).toEqual([
      { n: 3, score: 1 },
      { n: 4, score: expect.closeTo(0.8, 6) },
    ])
    expect(numbers(asked.words)).toEqual([1, 2])
    expect(numbers(asked.all)).toEqual([1, 3])
    expect(asked.both).toEqual([
      { n: 2, rank: 2 },
      { n: 3, rank: 1 },
      { n: 4, rank: 3 },
    ])
    expect(numbers(asked.found)).toEqual([3, 2])
  })

  it("LogLines: is ingested once", async () => {
    const dir = await tempFolder()
    const lines = Array.from({ length: 2500 }, (_, i) => `line ${i}`)
    writeFileSync(join(dir, "app.log"), lines.join("\n"))
    const client = new Client({ uri: join(dir, "data") })
    const format = new LogLines(join(dir, "app.log"))
    expect((await client.ingest("logs", null, { format })).rowCount).toBe(2500)
    expect((await rowsOf(client, "logs", ["line"])).flat()).toEqual(lines)
    expect((await client.ingest("logs", null, { format })).summary.items).toMatchObject({ unchanged: 1, done: 0 })
  })

  it("train: finds what there is to learn, also where it goes on in the middle of an epoch", async () => {
    const uri = join(await tempFolder(), "data")
    const episode = Int32Array.from({ length: 1200 }, (_, row) => Math.floor(row / 10))
    const state = Float32Array.from(episode, (_, row) => ((row % 17) - 8) / 8)
    const client = new Client({ uri })
    await client.ingest("frames", { episode, state, action: state.map((one) => 3 * one) })
    const saved: Checkpoint[] = []
    const { weight, tested } = await train(uri, "frames", (now) => saved.push(now))
    expect(weight).toBeCloseTo(3, 2)
    expect(tested).toBe(100)
    await using frames = await client.openTable("frames")
    const whole: Checkpoint[] = []
    const ended = await trainEpoch(frames, { seed: 9, position: 0, weight: 0 }, (now) => whole.push(now))
    const rest: Checkpoint[] = []
    expect(await trainEpoch(frames, whole[20] ?? { seed: 9, position: 0, weight: 0 }, (now) => rest.push(now))).toBe(
      ended,
    )
    expect(rest).toEqual(whole.slice(21))
  })

  it("carefulSync: takes back a sync with which too much has gone", async () => {
    const dir = await tempFolder()
    mkdirSync(join(dir, "notes"))
    for (let i = 0; i < 6; i++) writeFileSync(join(dir, "notes", `${i}.md`), `note ${i}`)
    const uri = join(dir, "data")
    const parts = {
      name: "notes",
      source: files({ include: join(dir, "notes") }),
      sink: lance({ uri, table: "notes" }),
    }
    const plan = filesPlan(parts, { mode: "sync", maxDeleteRatio: 1, workers: { threads: 1 } })
    await run(plan)
    for (const gone of ["0.md", "1.md"]) rmSync(join(dir, "notes", gone))
    const { removed, restored } = await carefulSync(plan, uri, 1)
    expect([removed.sort(), restored]).toEqual([["0.md", "1.md"], true])
    expect((await inspectTable(uri, "notes")).rows).toBe(6)
    expect(await carefulSync(plan, uri, 2)).toMatchObject({ restored: false })
    expect((await inspectTable(uri, "notes")).rows).toBe(4)
  })
})
