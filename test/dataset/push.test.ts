/** Publishing to the stand-in Hub, and taking back from it what was published. */
import { readdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { beforeAll, beforeEach, describe, expect, it } from "vitest"
import { parse } from "yaml"
import { pushTable } from "../../src/dataset/push.ts"
import { frontMatter } from "../../src/hub/card.ts"
import { type Batch, batchOf } from "../../src/model/batch.ts"
import {
  boolColumn,
  bytesColumn,
  floatsColumn,
  numberColumn,
  textColumn,
  vectorColumn,
} from "../../src/model/column.ts"
import { AuthError, ConfigError, IngestError, TableError, TokenError } from "../../src/model/errors.ts"
import { planOf, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { huggingface } from "../../src/sources/huggingface.ts"
import { startHub } from "../fixtures/hub.ts"
import { picture } from "../fixtures/image.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { type ItemColumns, writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const hub = await startHub()
const retry = { tries: 3, wait: 1, longestWait: 4, idle: 4000 }
const TOKEN = "hf_owner"
const NAMES = ["cat", "dog", "fox"]
const ROWS = 30

let uri = ""
let table: Batch

const push = (repo = "me/pets", options: Parameters<typeof pushTable>[3] = {}, name = "pets") =>
  pushTable(uri, name, repo, { hubUrl: hub.url, token: TOKEN, retry, ...options })

const filesOf = (repo: string): ReadonlyMap<string, Uint8Array> => {
  const dataset = hub.datasets.get(repo)
  return dataset?.commits.get(dataset.refs.get("main") ?? "") ?? new Map()
}

const cardOf = (repo: string) => parse(frontMatter(String(Buffer.from(filesOf(repo).get("README.md") ?? ""))) ?? "")

/** What the Hub has of it, through the source that reads any dataset. */
const pull = async (repo: string, split = "train") => {
  const database = new MemoryDatabase()
  const feed = huggingface({
    repo,
    split,
    hubUrl: hub.url,
    datasetsServerUrl: hub.url,
    token: TOKEN,
    retry,
    cacheDir: await tempFolder(),
  })
  const summary = await run(planOf({ name: "pull", feed, sink: memory({ table: "t", database }) }))
  expect(summary.items).toMatchObject({ failed: 0, pending: 0 })
  return database.rows("t")
}

const rows = Array.from({ length: ROWS }, (_, row) => row)

beforeAll(async () => {
  uri = await tempFolder()
  const pictures = await Promise.all(
    rows.map((row) =>
      picture(8 + row, 8)
        .png()
        .toBuffer(),
    ),
  )
  const columns: ItemColumns[1] = {
    id: numberColumn(
      BigInt64Array.from(rows, (row) => 2n ** 60n + BigInt(row)),
      { name: "INT64" },
    ),
    image: bytesColumn(
      rows.map((row) => (row === 3 ? null : (pictures[row] ?? null))),
      { name: "IMAGE" },
    ),
    mask: bytesColumn(pictures, { name: "SEGMENT_MASK" }),
    label: numberColumn(
      Int32Array.from(rows, (row) => (row % 4) - 1),
      { name: "CLASS_LABEL", names: NAMES },
    ),
    e: vectorColumn(
      rows.map((row) => [row, row / 2]),
      { name: "EMBEDDING", size: 2 },
    ),
    box: floatsColumn(
      rows.map((row) => Array.from({ length: row % 5 }, (_, at) => at)),
      { name: "BOUNDING_BOX" },
    ),
    text: textColumn(rows.map((row) => (row % 7 === 0 ? null : `number ${row}`))),
    meta: textColumn(
      rows.map((row) => JSON.stringify({ row })),
      { name: "JSON" },
    ),
    ok: boolColumn(rows.map((row) => row % 2 === 0)),
  }
  table = batchOf(columns)
  await writeTable(uri, "pets", [["a", columns]])
  await writeTable(uri, "small", [["b", { id: numberColumn(BigInt64Array.of(7n), { name: "INT64" }) }]])
})

beforeEach(() => {
  hub.seen.length = 0
  hub.faults.length = 0
  hub.objects.clear()
  hub.datasets.clear()
})

describe("pushTable", () => {
  it("makes the dataset, and what comes back from it is the same table", async () => {
    const result = await push()
    expect(result).toMatchObject({ rows: ROWS, files: 1, url: `${hub.url}/datasets/me/pets` })
    expect(result.commit).toBe(hub.datasets.get("me/pets")?.refs.get("main"))
    expect([...filesOf("me/pets").keys()].sort()).toEqual([
      ".gitattributes",
      "README.md",
      "data/train-00000-of-00001.parquet",
    ])
    expect(filesOf("me/pets").get("data/train-00000-of-00001.parquet")?.length).toBe(result.bytes)
    const back = await pull("me/pets")
    const own = new Map([...back.columns].filter(([name]) => !name.startsWith("_")))
    expect([...own].map(([name, { type }]) => [name, type])).toEqual(
      [...table.columns].map(([name, { type }]) => [name, type]),
    )
    expect(rowsOf({ rows: back.rows, columns: own })).toEqual(rowsOf(table))
  })

  it("cuts the table into several files, and takes the older ones away", async () => {
    await writeTable(
      uri,
      "many",
      [0, 1, 2].map(
        (at): ItemColumns => [`item-${at}`, { n: numberColumn(Int32Array.of(at, at + 10), { name: "INT32" }) }],
      ),
    )
    const shards = () => [...filesOf("me/pets").keys()].filter((path) => path.startsWith("data/")).sort()
    expect((await push("me/pets", { shardBytes: 1 }, "many")).files).toBe(3)
    expect(shards()).toEqual([0, 1, 2].map((at) => `data/train-0000${at}-of-00003.parquet`))
    expect(rowsOf(await pull("me/pets"), ["n"]).map(({ n }) => n)).toEqual([0, 10, 1, 11, 2, 12])
    await push("me/pets", {}, "many")
    expect(shards()).toEqual(["data/train-00000-of-00001.parquet"])
  })

  it("says in the README what datasets wants to know", async () => {
    const { bytes } = await push()
    expect(cardOf("me/pets")).toEqual({
      dataset_info: {
        features: [
          { name: "id", dtype: "int64" },
          { name: "image", dtype: "image" },
          { name: "mask", dtype: "image" },
          { name: "label", dtype: { class_label: { names: { 0: "cat", 1: "dog", 2: "fox" } } } },
          { name: "e", list: "float32", length: 2 },
          { name: "box", list: "float32" },
          { name: "text", dtype: "string" },
          { name: "meta", dtype: "string" },
          { name: "ok", dtype: "bool" },
        ],
        splits: [{ name: "train", num_bytes: expect.any(Number), num_examples: ROWS }],
        download_size: bytes,
        dataset_size: expect.any(Number),
      },
      configs: [{ config_name: "default", data_files: [{ split: "train", path: "data/train-*" }] }],
    })
  })

  it("replaces the split that is there, in one commit, and leaves all else alone", async () => {
    const readme = [
      "---",
      "# by hand",
      "license: mit",
      "configs:",
      "- config_name: default",
      "  data_files:",
      "  - {split: test, path: data/test-*}",
      "- config_name: extra",
      "  data_files: extra.csv",
      "---",
      "# Our pets",
      "They live here.",
      "",
    ].join("\n")
    hub.push("me/pets", {
      "README.md": readme,
      "data/train-00000-of-00002.parquet": "old",
      "data/train-00001-of-00002.parquet": "old",
      "data/test-00000-of-00001.parquet": "kept",
      "data/training.txt": "kept",
    })
    await push("me/pets", { token: "hf_writer" }, "small")
    expect([...filesOf("me/pets").keys()].sort()).toEqual([
      "README.md",
      "data/test-00000-of-00001.parquet",
      "data/train-00000-of-00001.parquet",
      "data/training.txt",
    ])
    const text = String(Buffer.from(filesOf("me/pets").get("README.md") ?? ""))
    expect(text).toContain("# by hand\nlicense: mit\n")
    expect(text.endsWith("---\n# Our pets\nThey live here.\n")).toBe(true)
    expect(cardOf("me/pets").configs).toEqual([
      {
        config_name: "default",
        data_files: [
          { split: "test", path: "data/test-*" },
          { split: "train", path: "data/train-*" },
        ],
      },
      { config_name: "extra", data_files: "extra.csv" },
    ])
    expect(hub.seen.filter(({ url }) => url.includes("/commit/"))).toHaveLength(1)
  })

  it("adds a split beside another one, and makes what is new private when it is told to", async () => {
    await push("me/pets", { private: true })
    expect(hub.datasets.get("me/pets")?.token).toBe(TOKEN)
    await push("me/pets", { split: "validation" }, "pets")
    expect(cardOf("me/pets").dataset_info.splits).toMatchObject([
      { name: "train", num_examples: ROWS },
      { name: "validation", num_examples: ROWS },
    ])
    expect((await pull("me/pets", "validation")).rows).toBe(ROWS)
  })

  it("tries again what fails for a while, and sends nothing twice that is there", async () => {
    hub.faults.push(
      { path: "/lfs/", status: 503 },
      { path: "/preupload/", status: 429, headers: { "retry-after": "0" } },
    )
    await push()
    const uploads = () => hub.seen.filter(({ method, status }) => method === "PUT" && status === 200).length
    expect(uploads()).toBe(1)
    await push()
    expect(uploads()).toBe(1)
    // The storage's address is signed; the token is none of its business.
    for (const { server, authorization } of hub.seen) if (server === "storage") expect(authorization).toBeUndefined()
  })

  it("leaves nothing to be seen when it is cut off, and can be run again", async () => {
    hub.faults.push({ path: "/commit/", times: 9, status: 500 })
    const folders = async () => (await readdir(tmpdir())).filter((name) => name.startsWith("sluice-push-")).length
    const before = await folders()
    await expect(push()).rejects.toThrow(/commit\/main: 500/)
    expect([...filesOf("me/pets").keys()]).toEqual([".gitattributes"])
    expect(await folders()).toBe(before)
    hub.faults.length = 0
    await push()
    expect((await pull("me/pets")).rows).toBe(ROWS)
  })

  it("does not write over what somebody else has committed meanwhile", async () => {
    await push()
    const other = { ".gitattributes": "", "theirs.txt": "theirs" }
    const onStep = (step: string) => step.startsWith("uploading") && hub.push("me/pets", other)
    await expect(push("me/pets", { onStep })).rejects.toThrow(
      new IngestError(
        'Dataset "me/pets" has been changed by somebody else meanwhile; nothing of this push is there. Run it again',
      ),
    )
    expect([...filesOf("me/pets").keys()]).toEqual(Object.keys(other))
  })

  it("says what is missing", async () => {
    const { token: _, ...anonymous } = { hubUrl: hub.url, token: TOKEN, retry }
    await expect(pushTable(uri, "pets", "me/pets", anonymous)).rejects.toThrow(TokenError)
    await expect(push("pets")).rejects.toThrow(new ConfigError('repo: expected "owner/name", found "pets"'))
    await expect(push("me/pets", { split: "a-b" })).rejects.toThrow(/name of a split/)
    await expect(push("me/pets", {}, "nothing")).rejects.toThrow(TableError)
    hub.push("you/pets", { "README.md": "# yours" })
    const refused = push("you/pets", { token: "hf_anyone" })
    await expect(refused).rejects.toThrow(AuthError)
    await expect(refused).rejects.toThrow(/\(to push it has to be one that may write\)$/)
    await expect(push("new/pets", { token: "hf_reader" })).rejects.toThrow(AuthError)
    expect(hub.datasets.has("new/pets")).toBe(false)
  })
})
