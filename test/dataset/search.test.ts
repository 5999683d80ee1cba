import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { beforeAll, describe, expect, it } from "vitest"
import { searchText } from "../../src/dataset/search.ts"
import { bytesColumn, textColumn } from "../../src/model/column.ts"
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
