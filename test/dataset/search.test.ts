import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { type SearchOptions, search, searchText } from "../../src/dataset/search.ts"
import { bytesColumn, textColumn, vectorColumn, vectorsColumn } from "../../src/model/column.ts"
import { ConfigError, TableError } from "../../src/model/errors.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const IMAGE = { name: "IMAGE" } as const

const bytes = (count: number) =>
  bytesColumn(
    Array.from({ length: count }, (_, row) => Uint8Array.of(row)),
    IMAGE,
  )

let uri = ""

beforeAll(async () => {
  uri = await tempFolder()
  const first = [
    "The fox and the fox and the fox",
    "A dog",
    "A fox met a dog",
    null,
    'title:fox AND "dog" -cat* (x',
    "Übermut",
  ]
  await writeTable(
    uri,
    "docs",
    [["folder/a.txt", { text: textColumn(first), image: bytes(6), title: textColumn(first) }]],
    ["text"],
  )
  // Written after the index was built.
  await writeTable(uri, "docs", [["b.txt", { text: textColumn(["A late fox", "lynx"]), image: bytes(2) }]])
  await writeTable(uri, "plain", [["a", { text: textColumn(["fox"]) }]])
  await writeTable(uri, "two", [["a", { one: textColumn(["fox"]), two: textColumn(["dog"]) }]], ["one", "two"])
})

const found = async (words: string): Promise<string[]> =>
  (await searchText(uri, "docs", words)).map((row) => `${row._item} ${row._row}`)

describe("searchText", () => {
  it("finds any of the words, best first, with score and place, and no bytes", async () => {
    const rows = await searchText(uri, "docs", "fox")
    expect(rows[0]).toEqual({
      _item: "folder/a.txt",
      _row: 0,
      text: "The fox and the fox and the fox",
      _score: expect.any(Number),
    })
    expect(rows).toHaveLength(4)
    const scores = rows.map((row) => Number(row._score))
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(scores.every((score) => score > 0)).toBe(true)
    expect((await found("DOG fox"))[0]).toMatch(/a\.txt [24]$/)
    expect(await found("übermut")).toEqual(["folder/a.txt 5"])
  })

  it("searches rows that are not in the index yet", async () => {
    expect(await found("lynx")).toEqual(["b.txt 1"])
    expect(await found("late")).toEqual(["b.txt 0"])
  })

  it("takes words as they are", async () => {
    expect(await found("nothing:here")).toEqual([])
    expect(await found("title:lynx")).toEqual(await found("title lynx"))
    expect((await found("lynx -fox")).length).toBe(5)
    for (const words of ['"', "*", "(", "AND", "lynx~2", "'; DROP TABLE docs", "%"]) {
      expect(await found(words)).toBeInstanceOf(Array)
    }
  })

  it("returns the columns asked for, bytes too, and no more rows than the limit", async () => {
    const rows = await searchText(uri, "docs", "lynx", { columns: ["image", "_commit"], limit: 1 })
    expect(rows).toEqual([{ image: Uint8Array.of(1), _commit: 2, _score: expect.any(Number) }])
    expect(await searchText(uri, "docs", "fox dog", { limit: 2 })).toHaveLength(2)
  })

  it("needs no index", async () => {
    expect(await searchText(uri, "plain", "FOX")).toMatchObject([{ _item: "a", text: "fox" }])
    const places = async (column: string) =>
      (await searchText(uri, "docs", "fox dog", { column })).map((row) => `${row._item} ${row._row}`)
    expect((await places("title")).sort()).toEqual((await places("text")).filter((at) => !at.startsWith("b")).sort())
  })

  it("searches the column that is named", async () => {
    const [row] = await searchText(uri, "two", "dog", { column: "two" })
    expect(row).toMatchObject({ _item: "a", _row: 0, two: "dog" })
    expect(await searchText(uri, "two", "dog", { column: "one" })).toEqual([])
  })

  it("says what to do when it cannot search", async () => {
    await expect(searchText(uri, "docs", "fox", { column: "image" })).rejects.toThrow(
      /column "image": text is searched for in TEXT columns, this one is IMAGE/,
    )
    const several = searchText(uri, "two", "fox")
    await expect(several).rejects.toThrow(ConfigError)
    await expect(several).rejects.toThrow(/say which one to search: one, two/)
    await expect(searchText(uri, "docs", "fox", { column: "nope" })).rejects.toThrow(/has no column "nope"/)
    await expect(searchText(uri, "docs", "fox", { columns: ["nope"] })).rejects.toThrow(/has no column "nope"/)
    await expect(searchText(uri, "nope", "fox")).rejects.toThrow(TableError)
    for (const words of ["", " \t\n"]) await expect(searchText(uri, "docs", words)).rejects.toThrow(ConfigError)
    for (const limit of [0, 1.5, -1]) await expect(searchText(uri, "docs", "x", { limit })).rejects.toThrow(ConfigError)
  })

  it("prints nothing", () => {
    const script = fileURLToPath(new URL("../../src/dataset/search.ts", import.meta.url))
    const code = `const { searchText } = await import(process.argv[1]); await searchText(process.argv[2], "docs", "fox")`
    const child = spawnSync(process.execPath, ["--input-type=module", "-e", code, script, uri], { encoding: "utf8" })
    expect(child).toMatchObject({ status: 0, stdout: "", stderr: "" })
  })
})

describe("search", () => {
  const size2 = { name: "EMBEDDING", size: 2 } as const
  beforeAll(async () => {
    const text = textColumn(["red fox", "red red", null, "blue"])
    const near = vectorColumn([[1, 0], [0, 1], [3, 4], null], size2)
    const parts = vectorsColumn([[[1, 0]], [[0, 1]], [], null], { name: "MULTI_EMBEDDING", size: 2 })
    await writeTable(uri, "mixed", [["a", { text, near, other: near, parts, image: bytes(4) }]])
  })
  const places = async (options: SearchOptions) =>
    (await search(uri, "mixed", options)).map((row) => [row._row, Number(row._score.toFixed(3))])

  it("takes words, a vector, several, and both, with a condition", async () => {
    expect(await places({ query: "red", limit: 1 })).toEqual([[1, expect.any(Number)]])
    expect(await places({ query: "FOX red", match: "all" })).toEqual([[0, 1]])
    const found = { column: "near", query: Float32Array.of(2, 0) }
    const near = [
      [0, 1],
      [2, 0.6],
      [1, 0],
    ]
    expect(await places(found)).toEqual(near)
    expect(await places({ ...found, query: [3, 0], filter: "_row > 0" })).toEqual(near.slice(1))
    expect(await places({ query: [[0, 1], Float64Array.of(1, 0)] })).toEqual([
      [0, 1],
      [1, 1],
    ])
    const [best] = await places({ ...found, hybrid: { query: "blue", weights: { vector: 0.2, text: 0.8 } } })
    expect(best).toEqual([3, 0.8])
    const turned = { query: "blue", hybrid: { ...found, weights: { vector: 0.2, text: 0.8 } } }
    expect((await places(turned))[0]).toEqual([3, 0.8])
  })

  it("gives the columns that are asked for, by default no vectors and no bytes", async () => {
    expect(await search(uri, "mixed", { query: [[1, 0]], limit: 1 })).toEqual([{ _item: "a", _row: 0, _score: 1 }])
    const columns = ["image", "near", "text"]
    const [row] = await search(uri, "mixed", { column: "near", query: [6, 8], limit: 1, columns })
    expect(row).toEqual({ image: Uint8Array.of(2), near: Float32Array.of(3, 4), text: null, _score: expect.closeTo(1) })
  })

  it.each<[string, unknown, RegExp]>([
    ["a width", { column: "near", query: [1, 2, 3] }, /column "near": expected a vector of 2 numbers, found one of 3/],
    ["zeros", { column: "near", query: [0, 0] }, /expected a vector with a direction, found one of zeros/],
    ["NaN", { column: "near", query: [Number.NaN, 0] }, /finite numbers, found NaN at 0/],
    ["several columns", { query: [1, 2] }, /several EMBEDDING columns; say which one to search: near, other/],
    ["no such column", { column: "nope", query: [1, 2] }, /has no column "nope"/],
    [
      "text in vectors",
      { column: "near", query: "fox" },
      /text is searched for in TEXT columns, this one is EMBEDDING\(2\)/,
    ],
    [
      "a vector in text",
      { column: "text", query: [1, 2] },
      /a vector is searched for in EMBEDDING columns, this one is TEXT/,
    ],
    ["one of several widths", { query: [[1, 2], [1]] }, /expected a vector of 2 numbers, found one of 1/],
    ["nothing", { query: [] }, /query: expected words, a vector or a list of vectors|empty list/],
    [
      "a condition",
      { query: "fox", filter: "nope = 1" },
      /where: the condition "nope = 1" is refused: there is no column "nope"; there are (?!_)/,
    ],
    ["all of the words", { query: "fox", match: "all", hybrid: { query: [1, 2] } }, /match: "all" is for words alone/],
    [
      "two vectors",
      { column: "near", query: [1, 2], hybrid: { query: [1, 2] } },
      /hybrid: expected a vector and words/,
    ],
    [
      "weights",
      { column: "near", query: [1, 2], hybrid: { query: "fox", weights: { vector: -1, text: 2 } } },
      /weights: expected two numbers of at least 0.*found -1 and 2/,
    ],
  ])("says what is wrong: %s", async (_, options, message) => {
    await expect(search(uri, "mixed", options as SearchOptions)).rejects.toThrow(message)
  })
})
