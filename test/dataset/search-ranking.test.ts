/** Order and scores of every kind of search, beside the same computed row by row here. */
import { connect, tokenize } from "@lancedb/lancedb"
import { beforeAll, describe, expect, it } from "vitest"
import { createIndex } from "../../src/dataset/indexes.ts"
import { type OpenTable, openToRead } from "../../src/dataset/open.ts"
import { rank, type Search, scoreRows } from "../../src/dataset/search/rank.ts"
import { int32Column, textColumn, vectorColumn, vectorsColumn } from "../../src/model/column.ts"
import { dice } from "../../src/model/dice.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const ROWS = 600
const SIZE = 4
const roll = dice(6)
const pick = <T>(values: readonly T[]): T => values[Math.floor(roll() * values.length)] as T

const WORDS = "fox Fox FOX dog engine engines the THE Café cafe STRASSE Straße été 日本語 x1 don't naïve ½ Ⅷ".split(" ")
/** Few and short, so that many rows have the same score. */
const makeText = (n: number): string | null => {
  if (n % 11 === 4) return null
  if (n % 13 === 5) return pick(["", " ", "... --- !!!", "🦊"])
  return Array.from({ length: 1 + Math.floor(roll() * 5) }, () => pick(WORDS)).join(pick([" ", ", ", "_", "\n"]))
}
const directions = Array.from({ length: 40 }, () => Array.from({ length: SIZE }, () => Math.fround(roll() * 2 - 1)))
const makeVector = (n: number): number[] | null => {
  if (n % 17 === 6) return null
  return n % 19 === 7 ? [0, 0, 0, 0] : pick(directions).map((value) => value * pick([1, 1, 2, 1024]))
}
const makeVectors = (n: number): number[][] | null =>
  n % 7 === 2 ? null : Array.from({ length: Math.floor(roll() * 4) }, () => makeVector(n) ?? [0, 0, 0, 0])

const numbers = Array.from({ length: ROWS }, (_, n) => n)
const texts = numbers.map(makeText)
const vectors = numbers.map(makeVector)
const lists = numbers.map(makeVectors)
/** Rows that are deleted before the indexes are built. */
const isLive = (n: number): boolean => n % 23 !== 8

let uri = ""
let tokens: (readonly string[] | null)[] = []
const open: Record<string, OpenTable> = {}

const columnsOf = (rows: readonly number[]) => ({
  n: int32Column(rows),
  text: textColumn(rows.map((n) => texts[n] ?? null)),
  vector: vectorColumn(
    rows.map((n) => vectors[n] ?? null),
    { name: "EMBEDDING", size: SIZE },
  ),
  parts: vectorsColumn(
    rows.map((n) => lists[n] ?? null),
    { name: "MULTI_EMBEDDING", size: SIZE },
  ),
})

const wordsIn = async (text: string): Promise<string[]> =>
  (await tokenize(text, { stem: false, removeStopWords: false })).map((token) => token.text)

beforeAll(async () => {
  uri = await tempFolder()
  for (const name of ["plain", "indexed"]) {
    await writeTable(uri, name, [
      ["a", columnsOf(numbers.slice(0, 350))],
      ["b", columnsOf(numbers.slice(350))],
    ])
    await (await (await connect(uri)).openTable(name)).delete("n % 23 = 8")
  }
  await createIndex(uri, "indexed", "text")
  await createIndex(uri, "indexed", "vector", { partitions: 4 })
  for (const name of ["plain", "indexed"]) open[name] = await openToRead(uri, name)
  tokens = await Promise.all(texts.map((text) => (text === null || text === undefined ? null : wordsIn(text))))
})

const cosine = (a: readonly number[], b: readonly number[]): number => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}

const isLess = (a: number, b: number): number => a - b

/** NaN for rows without a text. */
const bm25 = async (query: string): Promise<number[]> => {
  const asked = await wordsIn(query)
  const documents = tokens.filter((words, n) => isLive(n) && words && words.length > 0) as string[][]
  const average = documents.reduce((sum, words) => sum + words.length, 0) / documents.length
  return tokens.map((words) => {
    if (!words) return Number.NaN
    return asked.reduce((sum, word) => {
      const has = documents.filter((other) => other.includes(word)).length
      const tf = words.filter((other) => other === word).length
      const idf = Math.log(1 + (documents.length - has + 0.5) / (has + 0.5))
      return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * words.length) / average))
    }, 0)
  })
}
const similarities = (query: readonly number[]): number[] =>
  vectors.map((vector) => (vector ? cosine(vector, query) : Number.NaN))

/** Both tables give what `wanted` says, with any limit and condition; `isFound` is about rows that have a score. */
const agrees = async (search: Search, wanted: readonly number[], isFound = (_: number): boolean => true) => {
  for (const [name, table] of Object.entries(open)) {
    for (const filter of [undefined, "n % 3 = 0"]) {
      const rows = numbers.filter((n) => isLive(n) && (filter === undefined || n % 3 === 0))
      const scoreOf = (n: number): number => wanted[n] ?? Number.NaN
      const best = rows
        .filter((n) => !Number.isNaN(scoreOf(n)) && isFound(scoreOf(n)))
        // What is the same but for rounding here stands in the order of the table.
        .sort((a, b) => isLess(Number(scoreOf(b).toFixed(6)), Number(scoreOf(a).toFixed(6))) || a - b)
      for (const limit of [undefined, 1, 7, 60]) {
        const place = `${name} ${JSON.stringify(search)} ${filter} ${limit}`
        const { ids, scores } = await rank(table, search, { filter, limit })
        const expected = best.slice(0, limit)
        expect([...ids].map(Number), place).toEqual(expected)
        const off = Math.max(0, ...expected.map((n, at) => Math.abs(scoreOf(n) - (scores[at] ?? Number.NaN))))
        expect(off, place).toBeLessThan(2e-6)
      }
      const seen: number[] = []
      for await (const { ids, scores } of scoreRows(table, search, filter)) {
        for (const [at, id] of ids.entries()) {
          seen.push(Number(id))
          const [found, score] = [scores[at] ?? 0, scoreOf(Number(id))]
          const isSame = Math.abs(found - score) < 2e-6 || (Number.isNaN(found) && Number.isNaN(score))
          expect(isSame, `${name} row ${id}: ${found} for ${score}`).toBe(true)
        }
      }
      expect(seen).toEqual(rows)
    }
  }
}

const QUERY = [0.5, -0.25, 1, 0.125]

describe("a search", () => {
  it.each(["fox", "fox dog", "DOG fox fox", "CAFÉ strasse", "日本語", "the ete x1 viii", "12 don", "nowhere", "?!"])(
    "for any of the words %j gives BM25",
    async (text) => agrees({ kind: "text", column: "text", text }, await bm25(text), (score) => score > 0),
  )

  it.each(["fox", "DOG Fox", "the engine", "strasse café", "nowhere fox", "?!"])(
    "for all of the words %j gives the texts that have them",
    async (text) => {
      const asked = await wordsIn(text)
      const has = tokens.map((words) =>
        words ? Number(asked.length > 0 && asked.every((word) => words.includes(word))) : Number.NaN,
      )
      await agrees({ kind: "contains", column: "text", text }, has, (score) => score === 1)
    },
  )

  it("for a vector gives cosine similarity, and leaves zeros and nulls out", async () => {
    await agrees({ kind: "vector", column: "vector", vector: QUERY }, similarities(QUERY))
    const same = (directions[0] ?? []).map((value) => value * 3)
    await agrees({ kind: "vector", column: "vector", vector: Float32Array.from(same) }, similarities(same))
  })

  it.each([
    [0.5, 0.5],
    [0.7, 0.3],
    [1, 0],
    [0, 1],
  ])("for a vector and words adds up both, with weights %d and %d", async (vector, text) => {
    const near = similarities(QUERY)
    const words = await bm25("fox engine 日本語")
    const top = Math.max(...words.filter((score, n) => isLive(n) && !Number.isNaN(score)))
    const wanted = numbers.map((n) => {
      const [similarity = Number.NaN, score = Number.NaN] = [near[n], words[n]]
      if (Number.isNaN(similarity) && !(score > 0)) return Number.NaN
      return vector * (similarity || 0) + (text * (score || 0)) / top
    })
    const columns = { vectorColumn: "vector", vector: QUERY, textColumn: "text", text: "fox engine 日本語" }
    await agrees({ kind: "hybrid", ...columns, weights: { vector, text } }, wanted)
  })

  it("for several vectors gives MaxSim", async () => {
    const queries = [QUERY, [1, 1, 0, 0], [0, 0, 0, -5]]
    const wanted = lists.map((list) => {
      const parts = (list ?? []).filter((part) => part.some((value) => value !== 0))
      if (parts.length === 0) return Number.NaN
      return queries.reduce((sum, query) => sum + Math.max(...parts.map((part) => cosine(part, query))), 0)
    })
    await agrees({ kind: "vectors", column: "parts", vectors: queries }, wanted)
  })
})

it("without an index has the words of the index, whatever the characters", async () => {
  const characters: string[] = []
  for (let code = 0x21; code < 0x1fbff; code += code < 0x370 ? 1 : code < 0x10000 ? 5 : 41) {
    const isLetters = code < 0x3000 || (code >= 0xa640 && code < 0xac00) || code >= 0xf900
    if (isLetters) characters.push(String.fromCodePoint(code))
  }
  const rows: string[] = []
  for (let start = 0; start < characters.length; start += 150) {
    rows.push(characters.slice(start, start + 150).join("a b"))
  }
  // Words are shorter than 40 bytes.
  for (const letter of ["a", "é", "日"]) for (let n = 12; n < 42; n += 3) rows.push(letter.repeat(n))
  await writeTable(uri, "characters", [["a", { text: textColumn(rows), same: textColumn(rows) }]], ["text"])
  const table = await openToRead(uri, "characters")
  for (const text of rows) {
    const [indexed, read] = await Promise.all(
      ["text", "same"].map((column) => rank(table, { kind: "text", column, text }, { limit: 3 })),
    )
    // Other rows share only the letters between the characters, and are alike but for rounding.
    expect(read?.ids[0], text).toBe(indexed?.ids[0])
    expect(read?.scores.length, text).toBe(indexed?.scores.length)
    for (const [at, score] of (read?.scores ?? []).entries()) {
      expect(Math.abs(score / (indexed?.scores[at] ?? Number.NaN) - 1), text).toBeLessThan(1e-5)
    }
  }
  table.close()
})

describe("with an index", () => {
  it("rows of the same score stand in the order of the table, however many they are", async () => {
    const same = { text: textColumn(Array(500).fill("same words")), n: int32Column(Array(500).fill(1)) }
    const vector = vectorColumn(Array(500).fill([1, 2]), { name: "EMBEDDING", size: 2 })
    await writeTable(uri, "same", [["a", { ...same, vector }]], ["text"])
    const table = await openToRead(uri, "same")
    const first = (limit: number) => Array.from({ length: limit }, (_, row) => BigInt(row))
    const text = await rank(table, { kind: "text", column: "text", text: "words same" }, { limit: 20 })
    expect([...text.ids]).toEqual(first(20))
    const near = await rank(table, { kind: "vector", column: "vector", vector: [2, 1] }, { limit: 30 })
    expect([...near.ids]).toEqual(first(30))
    table.close()
  })

  it("finds rows that came after it, and none that were deleted", async () => {
    const rows = (from: number, count: number) => numbers.slice(from, from + count)
    await writeTable(uri, "late", [["a", columnsOf(rows(0, 100))]], ["text"])
    await createIndex(uri, "late", "vector", { partitions: 2 })
    await writeTable(uri, "late", [["b", columnsOf(rows(100, 50))]])
    await (await (await connect(uri)).openTable("late")).delete("n % 5 = 0")
    const table = await openToRead(uri, "late")
    const left = rows(0, 150).filter((n) => n % 5 !== 0)
    const text = await rank(table, { kind: "text", column: "text", text: "fox" })
    const withFox = left.filter((n) => tokens[n]?.includes("fox"))
    expect([...text.ids].map(Number).sort(isLess)).toEqual(withFox)
    expect([...text.scores].every((score, at) => score > 0 && score <= (text.scores[at - 1] ?? score))).toBe(true)
    for (const words of [["fox"], ["the", "engine"]]) {
      const contains = await rank(table, { kind: "contains", column: "text", text: words.join(" ") })
      const withAll = left.filter((n) => words.every((word) => tokens[n]?.includes(word)))
      expect(withAll.some((n) => n >= 100)).toBe(true)
      expect([...contains.ids].map(Number)).toEqual(withAll)
    }
    const near = await rank(table, { kind: "vector", column: "vector", vector: QUERY }, { limit: 20 })
    const wanted = similarities(QUERY)
    const best = left
      .filter((n) => !Number.isNaN(wanted[n]))
      .sort((a, b) => isLess(Number(wanted[b]?.toFixed(6)), Number(wanted[a]?.toFixed(6))) || a - b)
    expect([...near.ids].map(Number)).toEqual(best.slice(0, 20))
    table.close()
  })
})
