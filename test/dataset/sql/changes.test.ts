/** INSERT, UPDATE and DELETE, and what later runs into the table make of them. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { connect } from "@lancedb/lancedb"
import { describe, expect, it } from "vitest"
import { Client } from "../../../src/client.ts"
import { acquireLock } from "../../../src/store/lock.ts"
import { picture } from "../../fixtures/image.ts"
import { tempFolder } from "../../fixtures/temp.ts"

/** Notes in files, each of three chunks. */
const notes = async () => {
  const dir = await tempFolder()
  const folder = join(dir, "notes")
  mkdirSync(folder)
  const write = (name: string, letter: string) => writeFileSync(join(folder, name), letter.repeat(2400))
  write("a.md", "a")
  write("b.md", "b")
  write("c.md", "c")
  const client = new Client({ uri: join(dir, "data") })
  const sync = () => client.ingest("notes", { path: [folder] }, { schema: { path: "FILE" }, mode: "sync" })
  await sync()
  const state = () =>
    client.query<{ _item: string; chunk_index: number; text: string; _end: boolean }>(
      "SELECT _item, chunk_index, left(text, 3) AS text, _end FROM notes ORDER BY _item, _row",
    )
  return { client, folder, write, sync, state }
}

const chunks = (item: string, letter = item.slice(0, 1)) =>
  [0, 1, 2].map((at) => ({ _item: item, chunk_index: at, text: letter.repeat(3), _end: at === 2 }))

describe("INSERT", () => {
  it("adds rows that no run removes, whole or not at all", async () => {
    const { client, folder, sync, state } = await notes()
    const inserted = await client.query(
      "INSERT INTO notes (text, chunk_index, id) VALUES ($1, 0, 'x'), ('it''s', '1', $2) RETURNING id, upper(text) AS t, _row",
      ["mine", null],
    )
    expect(inserted).toEqual([
      { id: "x", t: "MINE", _row: 0 },
      { id: null, t: "IT'S", _row: 1 },
    ])
    expect(await client.query("INSERT INTO notes (text) SELECT text || '!' FROM notes WHERE _item = 'b.md'")).toEqual(
      [],
    )
    expect((await client.query("SELECT DISTINCT _item FROM notes WHERE _item LIKE 'sql:%'")).length).toBe(2)
    rmSync(join(folder, "c.md"))
    const { summary } = await sync()
    expect(summary.items).toMatchObject({ unchanged: 2 })
    const left = await state()
    // One of three items is more than a sync takes away by itself: what was inserted counts for none of them.
    expect(left.filter(({ _item }) => !_item.startsWith("sql:"))).toEqual(
      ["a.md", "b.md", "c.md"].flatMap((item) => chunks(item)),
    )
    expect(
      left
        .filter(({ _item }) => _item.startsWith("sql:"))
        .map(({ text, _end }) => [text, _end])
        .sort(),
    ).toEqual([
      ["bbb", false],
      ["bbb", false],
      ["bbb", true],
      ["it'", true],
      ["min", false],
    ])
    const rows = await client.query("SELECT count(*) FROM notes")
    for (const [sql, message] of [
      ["INSERT INTO notes (text, chunk_index) VALUES ('a', 1), ('b', 1.5)", 'Column "chunk_index", row 1'],
      ["INSERT INTO notes (txt) VALUES ('a')", 'SQL 1:20: "txt" is no column of notes; did you mean "text"?'],
      ["INSERT INTO notes (_item) VALUES ('a')", `"_item" is Sluice's own`],
      ["INSERT INTO notes (text) VALUES ('a', 'b')", "expected a value for each of text, found 2 values"],
      ["INSERT INTO notes (text) VALUES ('a') RETURNING nope", 'SQL 1:49: there is no column "nope"'],
      ["INSERT INTO nope (text) VALUES ('a')", 'SQL 1:13: there is no table "nope"'],
    ] as const) {
      await expect(client.query(sql), sql).rejects.toThrow(message)
    }
    expect(await client.query("SELECT count(*) FROM notes")).toEqual(rows)
  })

  it("fills columns of every type", async () => {
    const client = new Client({ uri: await tempFolder() })
    await client.ingest(
      "all",
      {
        n: [1],
        big: [1],
        x: [0.5],
        b: [true],
        e: [[1, 2]],
        m: [{ a: 1 }],
        v: [Uint8Array.of(1)],
        p: [Uint8Array.of(1)],
        t: [[[1, 2]]],
      },
      { schema: { n: "INT32", v: "VIDEO", p: "IMAGE", m: "JSON" } },
    )
    const values = [7, 2n ** 60n, 1.25, false, [3, 4], { a: [1] }, Uint8Array.of(9, 9), Uint8Array.of(8)]
    const parts = [[1, 2.5], Float32Array.of(3, 4)]
    const params = [7, 2n ** 60n, 1.25, false, Float32Array.of(3, 4), '{"a":[1]}', Uint8Array.of(9, 9), "\\x08", parts]
    await client.query("INSERT INTO all VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)".replace("all", '"all"'), params)
    const [{ t, ...row } = {}] = await client.query('SELECT * FROM "all" WHERE n = 7')
    expect(t).toEqual(parts.map((part) => Float32Array.from(part)))
    expect(Object.values(row)).toEqual(
      values.map((value) =>
        Array.isArray(value)
          ? Float32Array.from(value)
          : value && typeof value === "object" && "a" in value
            ? '{"a":[1]}'
            : value,
      ),
    )
  })

  it("takes bytes as text in hex or base64, and types by our names", async () => {
    const client = new Client({ uri: await tempFolder() })
    await client.ingest("images", { id: ["a"], img: [new Uint8Array(1)] }, { schema: { img: "IMAGE" } })
    await client.query(
      "INSERT INTO images (id, img) VALUES ('b', decode('89504e47', 'hex')::IMAGE), ('c', decode($1, 'base64'))",
      ["iVA="],
    )
    const bytes =
      "SELECT id, img, encode(img, 'hex') AS hex, encode(img, 'base64') AS base64 FROM images WHERE id > 'a' ORDER BY id"
    expect(await client.query(bytes)).toEqual([
      { id: "b", img: Uint8Array.of(0x89, 0x50, 0x4e, 0x47), hex: "89504e47", base64: "iVBORw==" },
      { id: "c", img: Uint8Array.of(0x89, 0x50), hex: "8950", base64: "iVA=" },
    ])
    await expect(client.query("SELECT decode(id, 'escape') FROM images")).rejects.toThrow(
      "SQL 1:8: expected decode(value, 'hex' or 'base64')",
    )
  })
})

describe("UPDATE", () => {
  it("changes values, and nothing that a run relies on", async () => {
    const { client, write, sync, state } = await notes()
    await client.query(
      "UPDATE notes SET text = $1 || text, chunk_index = chunk_index + 0 WHERE _item = 'b.md' AND length(text) > $2",
      ["new ", 500],
    )
    const updated = (await client.query<{ text: string }>("SELECT text FROM notes WHERE text LIKE 'new b%'")).length
    expect(updated).toBe(3)
    expect((await sync()).summary.items).toMatchObject({ unchanged: 3, done: 0 })
    expect((await state()).filter(({ _item }) => _item === "b.md")).toEqual(
      chunks("b.md", "n").map((row) => ({ ...row, text: "new" })),
    )
    write("b.md", "q")
    await sync()
    expect((await state()).filter(({ _item }) => _item === "b.md")).toEqual(chunks("b.md", "q"))
    await expect(client.query("UPDATE notes SET _end = true")).rejects.toThrow("is Sluice's own")
    await expect(client.query("UPDATE notes SET chunk_index = 'x'")).rejects.toThrow('Column "chunk_index", row 0')
  })
})

describe("DELETE", () => {
  it("leaves an item of which rows are left as it is; one that is gone comes again", async () => {
    const { client, sync, state } = await notes()
    await client.query("DELETE FROM notes WHERE _item = $1 AND chunk_index >= 1", ["a.md"])
    await client.query("DELETE FROM notes WHERE _item = 'b.md' AND chunk_index = 0")
    await client.query("DELETE FROM notes WHERE chunk_index + 1 = 3 AND _item < 'b.md' || 'z' AND _item > 'b'")
    const left = [
      { _item: "a.md", chunk_index: 0, text: "aaa", _end: true },
      { _item: "b.md", chunk_index: 1, text: "bbb", _end: true },
    ]
    expect(await state()).toEqual([...left, ...chunks("c.md")])
    await client.query("DELETE FROM notes WHERE _item = 'c.md'")
    expect(await state()).toEqual(left)
    expect((await sync()).summary.items).toMatchObject({ unchanged: 2, done: 1 })
    expect(await state()).toEqual([...left, ...chunks("c.md")])
    await client.query("DELETE FROM notes")
    expect(await state()).toEqual([])
    expect((await sync()).summary.items).toMatchObject({ done: 3 })
  })

  it("takes the thumbnails of its rows along", async () => {
    const dir = await tempFolder()
    for (const name of ["a.png", "b.png"]) writeFileSync(join(dir, name), await picture(40, 30).png().toBuffer())
    const client = new Client({ uri: join(dir, "data") })
    await client.ingest("pics", { path: [join(dir, "a.png"), join(dir, "b.png")] }, { schema: { path: "FILE" } })
    const thumbnails = () => client.query("SELECT _item, count(*) FROM pics__thumbnails GROUP BY _item ORDER BY _item")
    expect(await thumbnails()).toEqual(["a.png", "b.png"].map((_item) => ({ _item, count: 4 })))
    await client.query("DELETE FROM pics WHERE filename = 'a.png'")
    expect(await thumbnails()).toEqual([{ _item: "b.png", count: 4 }])
  })
})

describe("a table", () => {
  it("is not changed while another one writes to it, and gets the index that a search uses", async () => {
    const client = new Client({ uri: await tempFolder() })
    await client.ingest("notes", { text: ["a fox", "an otter"], chunk_index: [0, 1] })
    const lock = await acquireLock(client.uri, "notes")
    try {
      for (const sql of ["DELETE FROM notes", "UPDATE notes SET text = ''", "INSERT INTO notes (text) VALUES ('')"]) {
        await expect(client.query(sql), sql).rejects.toThrow('Table "notes" is being written by')
      }
    } finally {
      await lock.release()
    }
    await client.query("CREATE INDEX IF NOT EXISTS words ON notes USING deeplake_index (text)")
    expect((await client.search("notes", { query: "otter" })).map(({ text }) => text)).toEqual(["an otter"])
    await expect(client.query("CREATE INDEX ON notes USING deeplake_index (chunk)")).rejects.toThrow(
      "Index creation failed",
    )
    await expect(client.query("CREATE INDEX ON notes (text)")).rejects.toThrow(
      "expected CREATE INDEX ON table USING deeplake_index",
    )
    expect(await client.query("SELECT count(*) FROM notes")).toEqual([{ count: 2 }])
  })
})

it("a DELETE that was cut off has said twice that an item is done: it is done, and the DELETE can be made again", async () => {
  const { client, sync, state } = await notes()
  const db = await connect(client.uri)
  const table = await db.openTable("notes")
  // The first of its two steps, before the rows go.
  await table.update({ where: "_item = 'a.md' AND _row = 1", values: { _end: true } })
  db.close()
  const { items, rows } = (await sync()).summary
  expect({ items, rows }).toMatchObject({ items: { listed: 3, unchanged: 3, done: 0 }, rows: 0 })
  await client.query("DELETE FROM notes WHERE _item = 'a.md' AND _row = 2")
  expect((await state()).filter(({ _item }) => _item === "a.md")).toEqual([
    { _item: "a.md", chunk_index: 0, text: "aaa", _end: false },
    { _item: "a.md", chunk_index: 1, text: "aaa", _end: true },
  ])
  expect((await sync()).summary.items).toMatchObject({ unchanged: 3, done: 0 })
})

describe("a query at a version", () => {
  it("reads one table by its number, several by a tag, and changes nothing", async () => {
    const client = new Client({ uri: await tempFolder() })
    await client.ingest("a", { n: [1, 2], image: [new Uint8Array(3), new Uint8Array(4)] })
    await client.ingest("b", { n: [2] })
    for (const table of ["a", "b"]) await client.tag(table, "old")
    await client.query("DELETE FROM a WHERE n = 2")
    await client.query("INSERT INTO b (n) VALUES (1)")
    const at = await client.tag("a", "now")
    const sql = "SELECT n, image FROM a ORDER BY n DESC LIMIT 1"
    expect(await client.query(sql)).toEqual([{ n: 1, image: new Uint8Array(3) }])
    expect(await client.query(sql, null, { at: "old" })).toEqual([{ n: 2, image: new Uint8Array(4) }])
    expect(
      await client
        .table("a")
        .select("n")
        .where("n > $1", 1)
        .execute({ at: at - 1 }),
    ).toEqual([{ n: 2 }])
    const joined = "SELECT n FROM a JOIN b USING (n)"
    expect(await client.query(joined)).toEqual([{ n: 1 }])
    expect(await client.query(joined, null, { at: "old" })).toEqual([{ n: 2 }])
    await expect(client.query(joined, null, { at: 1 })).rejects.toThrow(
      "version 1 is of one table, and the query reads a, b",
    )
    await expect(client.query(joined, null, { at: "now" })).rejects.toThrow('Table "b" has no tag "now"; it has old')
    await expect(client.query("DELETE FROM a", null, { at: "old" })).rejects.toThrow("at: only a SELECT reads")
  })
})
