/** The operators that search, beside the same computed row by row here. */
import { tokenize } from "@lancedb/lancedb"
import { beforeAll, describe, expect, it } from "vitest"
import { createIndex, listIndexes } from "../../../src/dataset/indexes.ts"
import { follow } from "../../../src/dataset/sql/load-scores.ts"
import { as } from "../../../src/dataset/sql/node.ts"
import { planSelect } from "../../../src/dataset/sql/plan.ts"
import { parseStatement } from "../../../src/dataset/sql/source.ts"
import { openTables } from "../../../src/dataset/sql/tables.ts"
import {
  bytesColumn,
  Client,
  int32Column,
  type Param,
  type QueryRow,
  textColumn,
  vectorColumn,
  vectorsColumn,
} from "../../../src/index.ts"
import { dice } from "../../../src/model/dice.ts"
import { writeTable } from "../../fixtures/tables.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const ROWS = 300
const roll = dice(11)
const pick = <T>(values: readonly T[]): T => values[Math.floor(roll() * values.length)] as T
const numbers = Array.from({ length: ROWS }, (_, n) => n)
const WORDS = "fox dog owl elk the Café engine rain".split(" ")
const texts = numbers.map((n) => {
  if (n % 11 === 0) return null
  // Few rows have the last ones.
  return n % 97 === 5 ? "a rare okapi" : Array.from({ length: 1 + Math.floor(roll() * 4) }, () => pick(WORDS)).join(" ")
})
const directions = Array.from({ length: 30 }, () => [0, 1, 2].map(() => Math.fround(roll() * 2 - 1)))
const vectors = numbers.map((n) => (n % 7 === 0 ? null : n % 23 === 1 ? [0, 0, 0] : pick(directions)))
const lists = numbers.map((n) => (n % 5 === 0 ? null : Array.from({ length: n % 3 }, () => pick(directions))))

let client: Client

beforeAll(async () => {
  client = new Client({ uri: await tempFolder() })
  const columns = {
    n: int32Column(numbers),
    text: textColumn(texts),
    embedding: vectorColumn(vectors, { name: "EMBEDDING", size: 3 }),
    parts: vectorsColumn(lists, { name: "MULTI_EMBEDDING", size: 3 }),
    clip: bytesColumn(
      numbers.map((n) => Uint8Array.of(n & 255, 1)),
      { name: "VIDEO", blob: true },
    ),
  }
  for (const table of ["plain", "indexed"]) await writeTable(client.uri, table, [["all", columns]])
  await client.query("CREATE INDEX ON indexed USING deeplake_index (text) WITH (index_type = 'bm25')")
  await createIndex(client.uri, "indexed", "embedding", { partitions: 2 })
})

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
const cosine = (a: readonly number[] | null | undefined, b: readonly number[]): number | null =>
  a?.some((value) => value !== 0) ? dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) : null

const wordsIn = async (text: string | null | undefined): Promise<string[]> =>
  (await tokenize(text ?? "", { stem: false, removeStopWords: false })).map((token) => token.text)

const bm25 = async (query: string): Promise<(number | null)[]> => {
  const documents = await Promise.all(texts.map(wordsIn))
  const filled = documents.filter((words) => words.length > 0)
  const average = filled.reduce((sum, words) => sum + words.length, 0) / filled.length
  const asked = await wordsIn(query)
  return documents.map((words, n) => {
    if (texts[n] === null) return null
    return asked.reduce((sum, word) => {
      const has = filled.filter((other) => other.includes(word)).length
      const tf = words.filter((other) => other === word).length
      const idf = Math.log(1 + (filled.length - has + 0.5) / (has + 0.5))
      return sum + (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * words.length) / average))
    }, 0)
  })
}

const near = (query: readonly number[]) => vectors.map((vector) => cosine(vector, query))
const hybrid = (query: readonly number[], words: readonly (number | null)[], a: number, b: number) => {
  const top = Math.max(...words.map((score) => score ?? 0))
  return near(query).map((similarity, n) => {
    const text = words[n] ?? 0
    return similarity === null && text === 0 ? null : a * (similarity ?? 0) + (b * text) / top
  })
}
const maxSim = (queries: readonly (readonly number[])[]) =>
  lists.map((list) =>
    list && list.length > 0
      ? queries.reduce((sum, query) => sum + Math.max(...list.map((part) => cosine(part, query) ?? -1)), 0)
      : null,
  )

interface Scored {
  n: number
  score: number | null
}

/** The best first, rows without a score last, and rows of the same one in the table's order. */
const ranked = (scores: readonly (number | null)[], keep = (_: number): boolean => true): Scored[] =>
  numbers
    .filter(keep)
    .map((n) => ({ n, score: scores[n] ?? null }))
    .sort((a, b) => {
      const order = Number((b.score ?? -9).toFixed(6)) - Number((a.score ?? -9).toFixed(6))
      return order || a.n - b.n
    })

/** The same with rows of one score from the last to the first. */
const reversed = (scores: readonly (number | null)[]): Scored[] =>
  ranked(scores.toReversed()).map(({ n, score }) => ({ n: ROWS - 1 - n, score }))

const same = (found: readonly QueryRow[], expected: readonly Scored[], place: string): void => {
  expect(
    found.map(({ n }) => n),
    place,
  ).toEqual(expected.map(({ n }) => n))
  for (const [at, { score }] of expected.entries()) {
    const value = found[at]?.score
    expect(value, `${place} row ${at}`).toEqual(score === null ? null : expect.closeTo(score, 5))
  }
}

const Q = [0.5, -0.25, 1]
const QUERIES = [Q, [1, 1, 0]]

/** The same search, written in different ways. */
const agrees = async (operator: string, params: readonly Param[], scores: readonly (number | null)[]) => {
  const third = (n: number): boolean => n % 3 === 0
  const ways: readonly (readonly [string, readonly Scored[]])[] = [
    [`SELECT n, ${operator} AS score FROM t ORDER BY score DESC LIMIT 7`, ranked(scores).slice(0, 7)],
    [`SELECT n, ${operator} AS score FROM t ORDER BY 2 DESC LIMIT 290 OFFSET 4`, ranked(scores).slice(4, 294)],
    [`SELECT n, ${operator} AS score FROM t ORDER BY ${operator} DESC`, ranked(scores)],
    [`SELECT n, ${operator} AS score FROM t ORDER BY score DESC, n DESC LIMIT 9`, reversed(scores).slice(0, 9)],
    [`SELECT n, ${operator} AS score FROM t ORDER BY score DESC, -n LIMIT 290`, reversed(scores).slice(0, 290)],
    [
      `SELECT n, ${operator} AS score FROM t WHERE n < 200 ORDER BY score DESC LIMIT 9 OFFSET 3`,
      ranked(scores, (n) => n < 200).slice(3, 12),
    ],
    [
      `SELECT n, score FROM (SELECT n, ${operator} AS score FROM t) q WHERE n % 3 = 0 ORDER BY score DESC, n LIMIT 20`,
      ranked(scores, third).slice(0, 20),
    ],
    [
      `WITH s AS (SELECT x.n, ${operator} AS score FROM t x JOIN t y ON y.n = x.n WHERE x.n % 3 = 0)
       SELECT n, score * 1 AS score FROM s ORDER BY 2 DESC, n`.replaceAll(/\b(embedding|text|parts)(?=[ ,)])/g, "x.$1"),
      ranked(scores, third),
    ],
    [
      `SELECT n, ${operator} AS score FROM t WHERE ${operator} > 0.4 ORDER BY score DESC LIMIT 30`,
      ranked(scores, (n) => (scores[n] ?? 0) > 0.4).slice(0, 30),
    ],
    [
      `SELECT n, ${operator} AS score FROM t WHERE ${operator} > 0 AND n % 3 = 0 ORDER BY n`,
      ranked(scores, (n) => third(n) && (scores[n] ?? 0) > 0).sort((a, b) => a.n - b.n),
    ],
    [
      `(SELECT n, ${operator} AS score FROM t ORDER BY score DESC LIMIT 5) UNION ALL SELECT -1, NULL ORDER BY 2 DESC, n DESC LIMIT 5`,
      ranked(scores)
        .slice(0, 5)
        .sort((a, b) => Number(((b.score ?? 0) - (a.score ?? 0)).toFixed(6)) || b.n - a.n),
    ],
  ]
  for (const table of ["plain", "indexed"]) {
    for (const [sql, expected] of ways) {
      const query = sql.replaceAll(/\b(FROM|JOIN) t\b/g, `$1 ${table}`)
      same(await client.query(query, params), expected, `${query} ${JSON.stringify(params)}`)
    }
  }
}

describe("an operator of search", () => {
  it("embedding <#> vector is cosine similarity", async () => {
    await agrees("embedding <#> $1", [Q], near(Q))
  })

  it("text <#> words is BM25", async () => {
    await agrees("text <#> $1", ["fox cafe"], await bm25("fox cafe"))
    const few = ranked(await bm25("okapi"))
    for (const table of ["plain", "indexed"]) {
      const sql = `SELECT n, text <#> 'okapi' AS score FROM ${table} ORDER BY score DESC LIMIT 290`
      same(await client.query(sql), few.slice(0, 290), sql)
    }
  })

  it("of a vector and a text adds both up", async () => {
    const words = await bm25("dog rain")
    await agrees(
      "(embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, $2, 0.7, 0.3)",
      [Float32Array.from(Q), "dog rain"],
      hybrid(Q, words, 0.7, 0.3),
    )
    const [sql] = ["(embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1::float4[], 'dog rain')"]
    const rows = await client.query(`SELECT n, ${sql} AS score FROM plain ORDER BY score DESC LIMIT 9`, [
      "{0.5,-0.25,1}",
    ])
    same(rows, ranked(hybrid(Q, words, 0.5, 0.5)).slice(0, 9), sql ?? "")
  })

  it("parts <#> vectors is MaxSim", async () => {
    await agrees("parts <#> $1", [QUERIES], maxSim(QUERIES))
  })

  it.each([
    ["embedding <#> $1", [[...Q]]],
    ["embedding <#> $1", [Float32Array.from(Q)]],
    ["embedding <#> $1::float4[]", ["{0.5, -0.25, 1}"]],
    ["embedding::float4[] <#> $1::float4[]", [Q]],
    ["embedding <#> '{0.5,-0.25,1e0}'::float4[]", []],
    ["embedding <#> ARRAY[0.5, -0.25, 1]::float4[]", []],
    ["embedding <#> ARRAY[$1, -0.25, $2]", [0.5, 1]],
    ["plain.EMBEDDING <#> '[0.5, -0.25, 1]'", []],
  ])("takes a vector as %s with %j", async (operator, params) => {
    const sql = `SELECT n, ${operator} AS score FROM plain ORDER BY score DESC LIMIT 5`
    same(await client.query(sql, params as Param[]), ranked(near(Q)).slice(0, 5), sql)
  })

  it("takes several vectors as text and as arrays", async () => {
    for (const value of ["ARRAY[[0.5, -0.25, 1], [1, 1, 0]]::float4[][]", "'{{0.5,-0.25,1},{1,1,0}}'::float4[][]"]) {
      const sql = `SELECT n, parts <#> ${value} AS score FROM plain ORDER BY score DESC LIMIT 5`
      same(await client.query(sql), ranked(maxSim(QUERIES)).slice(0, 5), sql)
    }
  })

  it("text @> words is true for texts that have all of them, null for none", async () => {
    const words = await Promise.all(texts.map(wordsIn))
    const has = words.map((all, n) => (texts[n] === null ? null : all.includes("fox") && all.includes("cafe")))
    const found = numbers.filter((n) => has[n])
    expect(found.length).toBeGreaterThan(3)
    for (const table of ["plain", "indexed"]) {
      const rows = await client.query(`SELECT n, clip, text @> 'x' AS x FROM ${table} WHERE text @> $1`, ["CAFE, fox"])
      expect(rows).toEqual(found.map((n) => ({ n, clip: Uint8Array.of(n & 255, 1), x: false })))
      expect(await client.query(`SELECT text @> 'fox café' AS has FROM ${table} ORDER BY n`)).toEqual(
        has.map((one) => ({ has: one })),
      )
      expect(await client.query(`SELECT count(*) FROM ${table} WHERE NOT text @> 'fox café' AND n >= 100`)).toEqual([
        { count: numbers.filter((n) => n >= 100 && has[n] === false).length },
      ])
      const best = ranked(near(Q), (n) => has[n] === true)
      const sql = `SELECT n, embedding <#> $1 AS score FROM ${table} WHERE text @> 'fox' AND text @> 'cafe' ORDER BY score DESC LIMIT 3`
      same(await client.query(sql, [Q]), best.slice(0, 3), sql)
    }
  })

  it("goes together with all that SQL has", async () => {
    const [words, similar] = [await bm25("fox"), near(Q)]
    const own = numbers.map((n) => {
      const [a, b] = [words[n] ?? null, similar[n] ?? null]
      return a === null || b === null ? null : a + 2 * b
    })
    for (const table of ["plain", "indexed"]) {
      const mine =
        `SELECT n, text <#> 'fox' + 2 * (embedding <#> $1) AS score FROM ${table} ORDER BY score DESC LIMIT 8`.replace(
          "text <#> 'fox'",
          "(text <#> 'fox')",
        )
      same(await client.query(mine, [Q]), ranked(own).slice(0, 8), mine)
      const groups = await client.query<{ g: number; score: number }>(
        `SELECT n % 4 AS g, max(embedding <#> $1) AS score FROM ${table} WHERE text <#> 'fox' > 0 GROUP BY g ORDER BY score DESC`,
        [Q],
      )
      const best = [0, 1, 2, 3].map((g) =>
        Math.max(...numbers.filter((n) => n % 4 === g && (words[n] ?? 0) > 0).map((n) => similar[n] ?? -9)),
      )
      expect(groups.map(({ score }) => Number(score.toFixed(6)))).toEqual(
        best.map((score) => Number(score.toFixed(6))).sort((a, b) => b - a),
      )
      const [first, second] = ranked(similar)
      expect(
        await client.query(
          `WITH best AS (SELECT n, clip, text, length(clip) AS bytes, embedding <#> $1 AS score FROM ${table} ORDER BY score DESC LIMIT 2)
           SELECT best.n, best.clip, best.text, bytes, p.n AS other
           FROM best LEFT JOIN plain p ON p.n = best.n + 1 ORDER BY best.score DESC, best.n`,
          [Q],
        ),
      ).toEqual(
        [first, second].map((row) => {
          const n = row?.n ?? 0
          return { n, clip: Uint8Array.of(n & 255, 1), text: texts[n], bytes: 2, other: n + 1 }
        }),
      )
      const ascending = await client.query(
        `SELECT n FROM ${table} ORDER BY embedding <#> $1 DESC NULLS FIRST LIMIT 3`,
        [Q],
      )
      expect(ascending.map(({ n }) => similar[Number(n)])).toEqual([null, null, null])
    }
    const [{ count } = { count: 0 }] = await client.query<{ count: number }>(
      "SELECT count(*) FROM plain a JOIN indexed b ON a.n = b.n AND (a.embedding <#> $1) > 0.5 AND b.text <#> 'fox' > 0",
      [Q],
    )
    expect(count).toBe(numbers.filter((n) => (similar[n] ?? 0) > 0.5 && (words[n] ?? 0) > 0).length)
  })

  it.each([
    [
      "SELECT embedding <#> $1 FROM plain",
      [[1, 2]],
      'SQL 1:22: Table "plain", column "embedding": expected a vector of 3',
    ],
    ["SELECT n,\n embedding <#> '{0,0,0}' FROM plain", [], "SQL 2:16: .*a vector with a direction, found one of zeros"],
    ["SELECT n <#> $1 FROM plain", [Q], 'SQL 1:8: <#> searches EMBEDDING, .* and "n" is INT32'],
    ["SELECT embeding <#> $1 FROM plain", [Q], 'SQL 1:8: there is no column "embeding"; did you mean "embedding"'],
    ["SELECT text <#> $1 FROM plain", [Q], "SQL 1:17: expected words: .*, found a list of 3"],
    ["SELECT text <#> ' ' FROM plain", [], "SQL 1:17: Expected words to search for, found none"],
    ["SELECT embedding <#> 'fox' FROM plain", [], 'SQL 1:22: expected a vector: .*, found the text "fox"'],
    ["SELECT embedding <#> $1 FROM plain", [null], "SQL 1:22: expected a vector: .*, found null"],
    ["SELECT embedding <#> $1 FROM plain", [["a"]], "SQL 1:22: expected a vector: .*, found a list"],
    ["SELECT parts <#> $1 FROM plain", [Q], "SQL 1:18: expected a list of vectors: .*, found a list of 3"],
    ["SELECT a.embedding <#> b.embedding FROM plain a, plain b", [], "SQL 1:24: .*found what has to be computed"],
    ["SELECT 1 - embedding <#> $1 FROM plain", [Q], "SQL 1:10: <#>: expected a column to the left of it"],
    ["SELECT e <#> $1 FROM (SELECT embedding AS e FROM plain) q", [Q], 'SQL 1:8: .* "e" comes from a query or a join'],
    ["SELECT parts @> 'x' FROM plain", [], 'SQL 1:8: @> looks for words in TEXT columns, and "parts" is MULTI_'],
    ["SELECT (embedding, text) <#> $1 FROM plain", [Q], "SQL 1:30: expected .embedding, text.::deeplake_hybrid_record"],
    [
      "SELECT (text, embedding)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, 'x') FROM plain",
      [Q],
      'SQL 1:25: .*column "text": a vector is searched for in EMBEDDING columns',
    ],
    [
      "SELECT (embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, 'x', 0, 0) FROM plain",
      [Q],
      "SQL 1:54: weights: expected two numbers of at least 0",
    ],
    [
      "CREATE INDEX ON plain USING deeplake_index (text) WITH (index_type = 'magic')",
      [],
      "SQL 1:57: index_type: expected one of bm25, .*, found .magic.",
    ],
    ["CREATE INDEX ON plain USING deeplake_index (n) WITH (index_type = 'bm25')", [], "Index creation failed: column"],
  ])("refuses %s with %j", async (sql, params, message) => {
    const error = await client.query(sql, params as Param[]).then(
      () => "no error",
      (thrown) => `${thrown.name}: ${thrown.message}`,
    )
    expect(error).toMatch(/^TableError: /)
    expect(error).toMatch(new RegExp(message))
  })

  it("has only such rows read as the search finds, where the query means no others", async () => {
    const open = await openTables(client.uri, new Set(["plain"]))
    const readBy = async (sql: string) => {
      const select = as(await parseStatement(sql), "SelectStmt") ?? {}
      const { context } = planSelect(sql, select, sql.includes("$") ? [Q] : [], open)
      return context.scans.map(({ found, needed }) => [found?.score.search.kind, found?.limit, ...needed])
    }
    const best = "ORDER BY embedding <#> $1 DESC"
    expect(await readBy(`SELECT * FROM plain WHERE n < 9 ${best} LIMIT 5 OFFSET 2`)).toEqual([["vector", 7, "n"]])
    expect(await readBy(`WITH a AS (SELECT n FROM plain ${best} LIMIT 5) SELECT * FROM a`)).toEqual([
      ["vector", 5, "n"],
    ])
    expect(await readBy(`SELECT n FROM plain ${best}, n LIMIT 5`)).toEqual([["vector", 5, "n"]])
    expect(await readBy("SELECT n FROM plain WHERE text @> 'a' AND n < 9")).toEqual([["contains", undefined, "n"]])
    expect(await readBy("SELECT max(n) FROM plain WHERE 0 < text <#> 'a'")).toEqual([["text", undefined, "n"]])
    for (const [sql, column] of [
      [`SELECT n FROM plain WHERE n % 2 = 0 ${best} LIMIT 5`, "n"],
      [`SELECT n FROM plain ${best} NULLS FIRST LIMIT 5`, "n"],
      [`SELECT n FROM plain ${best}, count(*) OVER () LIMIT 5`, "n"],
      [`SELECT count(*) OVER (PARTITION BY n) FROM plain ${best} LIMIT 5`, "n"],
      [`SELECT n FROM plain WHERE embedding <#> $1 < 0.5 ${best} LIMIT 5`, "n"],
      ["SELECT n FROM plain WHERE text @> 'a' OR n = 1", "n"],
    ] as const) {
      expect(await readBy(sql), sql).toEqual([[undefined, undefined, column]])
    }
    open.close()
  })

  it("gives each row its own score, in whatever order both are read", async () => {
    const parts = (async function* () {
      yield { ids: BigUint64Array.of(4n, 0n, 7n), scores: Float64Array.of(0.4, 0, Number.NaN) }
      yield { ids: BigUint64Array.of(1n, 5n), scores: Float64Array.of(0.1, 0.5) }
    })()
    const scoresOf = follow(parts)
    expect([...(await scoresOf(BigInt64Array.of(0n, 5n)))]).toEqual([0, 0.5])
    expect([...(await scoresOf(BigInt64Array.of(1n, 7n, 4n)))]).toEqual([0.1, Number.NaN, 0.4])
  })

  it("says which rows are changed and deleted", async () => {
    await writeTable(client.uri, "changed", [
      ["all", { n: int32Column([0, 1, 2, 3]), text: textColumn(["a fox", "a dog", null, "fox"]) }],
    ])
    await client.query("UPDATE changed SET n = n + 10 WHERE text <#> 'dog' > 0")
    await client.query("DELETE FROM changed WHERE text @> 'fox' AND n < 3")
    expect(
      await client.query("SELECT n, text <#> 'fox' > 0 AS fox FROM changed ORDER BY text <#> 'fox' DESC LIMIT 9"),
    ).toEqual([
      { n: 3, fox: true },
      { n: 11, fox: false },
      { n: 2, fox: null },
    ])
  })

  it("CREATE INDEX makes the index that is named", async () => {
    await client.query(
      "CREATE INDEX IF NOT EXISTS exact ON indexed USING deeplake_index (text) WITH (index_type = 'exact_text')",
    )
    const types = (await listIndexes(client.uri, "indexed")).map(({ column, type }) => `${column} ${type}`)
    expect(types.sort()).toEqual(["embedding IVF_FLAT", "text BM25", "text BTREE"])
  })
})

describe("a search put together by calls", () => {
  type Note = { n: number; text: string | null; clip: Uint8Array }

  it("finds what client.search finds", async () => {
    const hybrid = { column: "text", query: "dog rain", weights: { vector: 0.7, text: 0.3 } }
    for (const name of ["plain", "indexed"]) {
      const table = client.table<Note>(name).select("n")
      const searches = [
        [table.search("text", "fox cafe"), { query: "fox cafe" }],
        [table.search("text", "okapi", { filter: "n > 9 OR n = 5", limit: 200 }), { query: "okapi", limit: 200 }],
        [table.search("embedding", Q, { limit: 25 }), { query: Q, limit: 25 }],
        [table.search("embedding", Float32Array.from(Q), { filter: "n < 90" }), { query: Q, filter: "n < 90" }],
        [table.search("parts", QUERIES).limit(12), { query: QUERIES, limit: 12 }],
        [table.search("embedding", Q, { hybrid }).limit(290), { query: Q, hybrid, limit: 290 }],
      ] as const
      for (const [query, options] of searches) {
        const rows: readonly { readonly n: number; readonly _score: number }[] = await query.execute()
        // @ts-expect-error: it was not selected
        expect(rows[0]?.text).toBeUndefined()
        expect(rows).toEqual(await client.search(name, { ...options, columns: ["n"] }))
        expect(rows.length).toBeGreaterThan(2)
      }
    }
  })

  it("goes together with the other calls, in any order", async () => {
    const words = await bm25("fox dog")
    const best = ranked(words, (n) => n >= 20 && (words[n] ?? 0) > 0.3)
    const base = client.table<Note>("plain").where("n >= $1", 20).search("text", "fox dog").where("_score > $2", 0.3)
    const named = (rows: readonly QueryRow[]) => rows.map(({ n, _score }) => ({ n, score: _score }) as QueryRow)
    same(named(await base.limit(6).offset(3).execute()), best.slice(3, 9), "a page")
    same(named(await base.select("n", "_score").execute()), best.slice(0, 10), "ten by default")
    const byNumber = best.slice(0, 15).sort((a, b) => b.n - a.n)
    const sorted = base.search("text", "fox dog", { limit: 15 }).orderBy("n DESC")
    same(named(await sorted.execute()), byNumber, "the best in another order")
    same(named(await sorted.select("n").limit(4).offset(1).execute()), byNumber.slice(1, 5), "some of them")
    const [row] = await base.select("text", "round(_score * 100) AS percent", "_row").orderBy("_row").limit(1).execute()
    expect(row).toEqual({
      text: texts[best[0]?.n ?? 0],
      percent: Math.round((best[0]?.score ?? 0) * 100),
      _row: best[0]?.n,
      _score: expect.closeTo(best[0]?.score ?? 0, 5),
    })
    const [all] = await base.orderBy("_score DESC, n").execute()
    expect(Object.keys(all ?? {})).toEqual(["n", "text", "embedding", "parts", "clip", "_score"])
    expect(all?.clip).toEqual(Uint8Array.of((best[0]?.n ?? 0) & 255, 1))
  })

  it("refuses what cannot be searched for", async () => {
    const table = client.table("plain")
    expect(() => table.search("text", [] as number[])).toThrow("search: expected words, a vector or a list of vectors")
    expect(() => table.search("text", "a", { limit: 0 })).toThrow("limit: expected a whole number of at least 1")
    const hybrid = { column: "text", query: "b" }
    expect(() => table.search("text", "a", { hybrid })).toThrow('expected a vector and words, found the text "a" and')
    await expect(table.search("embedding", [1, 2]).execute()).rejects.toThrow("expected a vector of 3 numbers")
    await expect(table.search("text", "a", { filter: "n = $1" }).execute()).rejects.toThrow("expected no placeholder")
  })
})
