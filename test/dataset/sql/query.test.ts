/** What queries answer, beside plain JavaScript over the same rows. */
import { beforeAll, describe, expect, it } from "vitest"
import {
  bytesColumn,
  Client,
  float64Column,
  floatsColumn,
  initializeWasm,
  int32Column,
  ManagedClient,
  numberColumn,
  textColumn,
  vectorColumn,
  vectorsColumn,
} from "../../../src/index.ts"
import { writeTable } from "../../fixtures/tables.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const ROWS = 3000
const LABELS = ["cat", "dog", "it's", "ölé", "日本"] as const

const photos = Array.from({ length: ROWS }, (_, id) => ({
  id,
  label: id % 11 === 0 ? null : (LABELS[id % LABELS.length] ?? null),
  width: (id * 37) % 1000,
  score: ((id * 7919) % 1009) / 8,
  image: Uint8Array.from([id & 255, id >>> 8, 7]),
  embedding: Float32Array.from([id, -id, id / 4]),
}))
const clip = (id: number): Uint8Array => new Uint8Array(40).fill(id + 1)

let client: Client

beforeAll(async () => {
  client = new Client({ uri: await tempFolder() })
  const columns = {
    id: numberColumn(
      BigInt64Array.from(photos, ({ id }) => BigInt(id)),
      { name: "INT64" },
    ),
    label: textColumn(photos.map(({ label }) => label)),
    width: int32Column(photos.map(({ width }) => width)),
    score: float64Column(photos.map(({ score }) => score)),
    image: bytesColumn(
      photos.map(({ image }) => image),
      { name: "IMAGE" },
    ),
    embedding: vectorColumn(
      photos.map(({ embedding }) => embedding),
      { name: "EMBEDDING", size: 3 },
    ),
  }
  await writeTable(client.uri, "photos", [["all", columns]])
  await writeTable(client.uri, "animals", [
    [
      "all",
      {
        label: textColumn(["cat", "dog", "cow"]),
        legs: int32Column([4, 4, 4]),
        clip: bytesColumn([clip(0), clip(1), clip(2)], { name: "VIDEO", blob: true }),
        meta: textColumn(['{"big":true}', '{"big":[1,2]}', null], { name: "JSON" }),
        "Odd name": textColumn(["a", "b", "c"]),
        huge: numberColumn(BigInt64Array.of(2n ** 62n, 5n, 7n), { name: "INT64" }),
        box: floatsColumn([[1, 2, 3, 4], null, []], { name: "BOUNDING_BOX" }),
        tokens: vectorsColumn(
          [
            [[1, 2]],
            [],
            [
              [3, 4],
              [5, 6.5],
            ],
          ],
          { name: "MULTI_EMBEDDING", size: 2 },
        ),
      },
    ],
  ])
})

const groups = () => Map.groupBy(photos, ({ label }) => label)
const byText = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe("a query", () => {
  it("groups as plain JavaScript does", async () => {
    const expected = [...groups()]
      .map(([label, rows]) => ({
        label,
        count: rows.length,
        sum: rows.reduce((sum, { width }) => sum + width, 0),
        best: Math.max(...rows.map(({ score }) => score)),
        mean: rows.reduce((sum, { score }) => sum + score, 0) / rows.length,
      }))
      .filter(({ count }) => count > 500)
      .sort((a, b) => (a.label === null ? 1 : b.label === null ? -1 : byText(a.label, b.label)))
    const found = await client.query<(typeof expected)[number]>(
      `SELECT label, count(*), sum(width), max(score) AS best, avg(score) AS mean
       FROM photos GROUP BY label HAVING count(*) > $1 ORDER BY label`,
      [500],
    )
    expect(found.map(({ mean, ...rest }) => rest)).toEqual(expected.map(({ mean, ...rest }) => rest))
    for (const [index, { mean }] of found.entries()) expect(mean).toBeCloseTo(expected[index]?.mean ?? Number.NaN, 8)
  })

  it("joins, with tables, subqueries and WITH", async () => {
    const cats = photos.filter(({ label }) => label === "cat")
    expect(
      await client.query(
        `WITH wide AS (SELECT id, label FROM photos WHERE width >= 500)
         SELECT a.label, a.legs, count(wide.id) AS n FROM animals a LEFT JOIN wide USING (label)
         GROUP BY a.label, a.legs ORDER BY n DESC, 1`,
      ),
    ).toEqual(
      ["cat", "dog", "cow"]
        .map((label) => ({ label, legs: 4, n: photos.filter((row) => row.label === label && row.width >= 500).length }))
        .sort((a, b) => b.n - a.n || byText(a.label, b.label)),
    )
    expect(
      await client.query(
        `SELECT id FROM photos p WHERE EXISTS (SELECT 1 FROM animals WHERE label = p.label AND legs = $2)
         AND score = (SELECT max(score) FROM photos WHERE label = $1) AND label = $1 ORDER BY id`,
        ["cat", 4],
      ),
    ).toEqual(cats.filter(({ score }) => score === Math.max(...cats.map((cat) => cat.score))).map(({ id }) => ({ id })))
  })

  it("ranks in windows, sorts nulls last, and cuts out a page", async () => {
    const ranked = [...groups()].flatMap(([label, rows]) =>
      rows
        .toSorted((a, b) => b.score - a.score || a.id - b.id)
        .map(({ id }, index) => ({ label, id, rank: index + 1 })),
    )
    const expected = ranked
      .filter(({ rank }) => rank <= 2)
      .sort((a, b) =>
        a.label === b.label ? a.rank - b.rank : a.label === null ? 1 : b.label === null ? -1 : byText(a.label, b.label),
      )
      .slice(3, 9)
    expect(
      await client.query(
        `SELECT * FROM (
           SELECT label, id, row_number() OVER (PARTITION BY label ORDER BY score DESC, id) AS rank FROM photos
         ) AS ranked WHERE rank <= 2 ORDER BY label, rank LIMIT 6 OFFSET 3`,
      ),
    ).toEqual(expected)
  })

  it("has PostgreSQL's expressions", async () => {
    const [row] = await client.query(
      `SELECT 7 / 2 AS whole, -7 / 2 AS toward_zero, 7 / 2.0 AS part, 0.1 + 0.2 AS double, 5 % 3 AS rest, 2 ^ 3 AS power,
         'a' || 1 AS joined, upper('ölé') AS upper, 'ABC' ILIKE 'a%' AS ilike, 'abc' ~ 'B|c$' AS regex, 'abc' !~* 'B' AS no,
         '7'::int + 1 AS cast, CASE WHEN NULL THEN 1 ELSE 2 END, coalesce(NULL, 3), greatest(1, 4, 2),
         extract(year FROM date '2024-02-29') AS year, date '2024-02-29' + interval '1 day' AS next,
         '{"a": {"b": [5]}}'::jsonb -> 'a' -> 'b' ->> 0 AS json, ARRAY[1, 2] AS list, ARRAY['NaN'::float8, 1] AS odd, '{0.5,1}'::float4[] AS vector,
         position('b' IN 'abc'), substring('hello' FROM 2 FOR 3), trim('  x '), length('日本'), octet_length('日本'),
         9007199254740993 AS exact, 12::bigint AS small, '\\x00ff'::bytea AS bytes, 1 = ANY($1) AS member, $2 AS day`,
      [[1, 2], new Date(0)],
    )
    expect(row).toEqual({
      whole: 3,
      toward_zero: -3,
      part: 3.5,
      double: 0.1 + 0.2,
      rest: 2,
      power: 8,
      joined: "a1",
      upper: "ÖLÉ",
      ilike: true,
      regex: true,
      no: false,
      cast: 8,
      case: 2,
      coalesce: 3,
      greatest: 4,
      year: 2024,
      next: "2024-03-01T00:00:00.000000",
      json: "5",
      list: [1, 2],
      odd: [Number.NaN, 1],
      vector: Float32Array.of(0.5, 1),
      position: 2,
      substring: "ell",
      btrim: "x",
      length: 2,
      octet_length: 6,
      exact: 9007199254740993n,
      small: 12,
      bytes: Uint8Array.of(0, 255),
      member: true,
      day: "1970-01-01T00:00:00.000000Z",
    })
  })

  it("hands over every type alike, by whatever way the rows come", async () => {
    const straight = await client.query("SELECT * FROM photos WHERE id < 3")
    expect(straight).toEqual(photos.slice(0, 3))
    expect(await client.query("SELECT * FROM photos WHERE id + 0 < 3")).toEqual(straight)
    expect(await client.query("SELECT * FROM photos ORDER BY -id OFFSET 2997")).toEqual(straight.toReversed())
    const animals = await client.query("SELECT * FROM animals WHERE legs = 4")
    expect(animals[0]).toEqual({
      label: "cat",
      legs: 4,
      clip: clip(0),
      meta: '{"big":true}',
      "Odd name": "a",
      huge: 2n ** 62n,
      box: Float32Array.of(1, 2, 3, 4),
      tokens: [Float32Array.of(1, 2)],
    })
    expect(await client.query("SELECT DISTINCT ON (label) * FROM animals ORDER BY label")).toEqual(
      animals.toSorted((a, b) => byText(String(a.label), String(b.label))),
    )
    expect(await client.query("SELECT * FROM animals WHERE legs + 0 = 4 ORDER BY label LIMIT 10")).toEqual(
      animals.toSorted((a, b) => byText(String(a.label), String(b.label))),
    )
  })

  it("fetches pictures and clips for the rows of the result, also through joins", async () => {
    const best = photos.filter(({ label }) => label === "dog").sort((a, b) => b.score - a.score || b.id - a.id)
    const rows = await client.query(
      `SELECT p.image, p.image AS again, a.clip, p.embedding, length(p.image) AS bytes
       FROM photos p JOIN animals a ON a.label = p.label WHERE p.label LIKE 'd%' ORDER BY p.score DESC, p.id DESC LIMIT 40`,
    )
    expect(rows).toEqual(
      best.slice(0, 40).map(({ image, embedding }) => ({ image, again: image, clip: clip(1), embedding, bytes: 3 })),
    )
    const outer = await client.query(
      "SELECT a.label, p.image FROM animals a LEFT JOIN photos p ON p.label = a.label AND p.id < 7 ORDER BY a.label, p.id",
    )
    const lengths = "SELECT octet_length(image), length(image) FROM (SELECT image FROM photos LIMIT 1) AS one"
    expect(await client.query(lengths)).toEqual([{ octet_length: 3, length: 3 }])
    expect(outer).toEqual([
      { label: "cat", image: photos[5]?.image },
      { label: "cow", image: null },
      { label: "dog", image: photos[1]?.image },
      { label: "dog", image: photos[6]?.image },
    ])
  })

  it("names hidden columns when asked, and a repeated name apart", async () => {
    expect(
      await client.query("SELECT _item, _row, p.* FROM animals AS p, p AS q LIMIT 0").catch((e) => e.message),
    ).toMatch(/there is no table "p"/)
    expect(await client.query("SELECT _item, _row, label, label FROM animals LIMIT 1")).toEqual([
      { _item: "all", _row: 0, label: "cat", label_1: "cat" },
    ])
    expect(
      await client.query('SELECT "Odd name" AS "ö", ODD FROM (SELECT "Odd name", legs AS odd FROM animals) x LIMIT 1'),
    ).toEqual([{ ö: "a", odd: 4 }])
    expect(await client.query("SELECT count(*) FROM photos__items").catch((e) => e.message)).toMatch(
      /there is no table/,
    )
  })

  it("streams large results in their order", async () => {
    const ids: number[] = []
    for await (const rows of client.stream<{ id: number }>(
      "SELECT id, label || 'x' AS l FROM photos ORDER BY id DESC",
    )) {
      ids.push(...rows.map(({ id }) => id))
    }
    expect(ids).toEqual(photos.map(({ id }) => id).toReversed())
  })

  it.each([
    ["SELECT * FROM photo", 'SQL 1:15: there is no table "photo"; did you mean "photos"?'],
    ["SELECT id FROM pg_catalog.photos", 'SQL 1:16: there is no schema "pg_catalog"'],
    ["SELECT 'öä', lable FROM photos", 'SQL 1:14: there is no column "lable"; did you mean "label"?'],
    ["SELECT id\nFROM photos\nWHERE p.id = 1", 'SQL 3:7: there is no "p" in FROM, which has photos'],
    ["SELECT id FROM photos WHERE", "SQL 1:28: syntax error at end of input"],
    ["SELECT '😀', id FROM photos GROUP id", 'SQL 1:34: syntax error at or near "id"'],
    ["SELECT 'ö' || nothing(id) FROM photos", "SQL 1:15: Scalar Function with name nothing does not exist!"],
    ["SELECT label FROM photos, animals", 'SQL 1:8: "label" could be "photos"."label" or "animals"."label"'],
    ["SELECT 1; SELECT 2", "SQL 1:11: expected one statement a call"],
    ["", "SQL: expected a statement, found nothing"],
    ["SELECT $2", "SQL 1:8: $2 has no value: 1 parameters were given"],
    ["SELECT $1 AS one, 2 AS two LIMIT $3", "SQL 1:34: $3 has no value"],
    ["SELECT id FROM photos ORDER BY 2, $1", "SQL 1:32: there is no column 2 in the result, which has 1"],
    ["SELECT id FROM photos LIMIT -1", "SQL 1:29: LIMIT: expected a whole number of at least 0, found -1"],
    ["SELECT id::money FROM photos", 'SQL 1:12: there is no type "money"'],
    ["SELECT upper(label, 1) FROM photos WHERE id = $1", "SQL 1:8: No function matches"],
    ["SELECT FROM photos WHERE EXISTS (SELECT FROM animals)", "expected columns after SELECT"],
    ["UPDATE photos__items SET item = 'x'", `SQL 1:8: "photos__items" is Sluice's own`],
    [
      "DROP TABLE photos",
      "SQL 1:1: Drop is not supported; there are SELECT, INSERT, UPDATE, DELETE and CREATE INDEX; dropTable",
    ],
    ["CREATE TABLE t (id BIGINT) USING deeplake", "CREATE INDEX; a table is made by ingest"],
    ["SELECT * FROM read_text('/etc/passwd')", 'SQL 1:15: the function "read_text" is not supported'],
    ["SELECT * FROM '/etc/passwd'", "SQL 1:15: syntax error"],
    ['SELECT * FROM "/etc/passwd"', 'SQL 1:15: there is no table "/etc/passwd"'],
    ["SELECT current_setting('temp_directory')", 'SQL 1:8: the function "current_setting" is not supported'],
    ["COPY (SELECT 1) TO '/tmp/x'", "Copy is not supported"],
    ["SET memory_limit = '1TB'", "VariableSet is not supported"],
    [`SELECT 1${" + 1".repeat(20_000)}`, "SQL: the query is nested too deeply"],
    ["SELECT \0", "SQL 1:8: a NUL character cannot stand in a query"],
  ])("refuses %s", async (sql, message) => {
    const error = await client.query(sql, sql.includes("$") ? ["x"] : []).then(
      () => "no error",
      (thrown) => `${thrown.name}: ${thrown.message}`,
    )
    expect(error).toContain("TableError: ")
    expect(error).toContain(message)
  })

  it("ends when its time is over, or its signal says so", async () => {
    const endless = "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r"
    await expect(client.query(endless, [], { timeoutMs: 50 })).rejects.toThrow("Query timed out after 0.05 s")
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error("enough")), 50)
    await expect(client.query(endless, [], { signal: controller.signal })).rejects.toThrow("enough")
    // Also where its time is over before the engine has begun, or just then.
    const long = "SELECT sum(a * b) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"
    for (const timeoutMs of [1, 2, 3, 5, 8, 13]) {
      await expect(client.query(long, [], { timeoutMs })).rejects.toThrow("Query timed out")
    }
    const early = new AbortController()
    const asked = client.query(long, [], { signal: early.signal })
    early.abort(new Error("never mind"))
    await expect(asked).rejects.toThrow("never mind")
    await expect(client.query("SELECT 1", [1])).rejects.toThrow(
      "1 parameters were given, but the query does not use $1",
    )
    await expect(client.query("SELECT 1", [], { timeoutMs: 0 })).rejects.toThrow(
      "timeoutMs: expected milliseconds above 0",
    )
    expect(await client.query("SELECT 1 AS one")).toEqual([{ one: 1 }])
  })
})

describe("a query put together by calls", () => {
  it("answers as its SQL does, and can be the beginning of several", async () => {
    await initializeWasm()
    const managed = new ManagedClient({ token: "t", uri: client.uri })
    const dogs = managed.table<{ id: number; label: string; score: number }>("photos").where("label = $1", "dog")
    const best = dogs
      .select("id", "score")
      .where("score > $2 AND id < $3", 50, 2000)
      .orderBy("score DESC")
      .orderBy("id")
    const expected = photos
      .filter(({ id, label, score }) => label === "dog" && score > 50 && id < 2000)
      .sort((a, b) => b.score - a.score || a.id - b.id)
      .map(({ id, score }) => ({ id, score }))
    expect(await best.limit(5).offset(2).execute()).toEqual(expected.slice(2, 7))
    expect(await best.execute()).toEqual(expected)
    expect(await dogs.select("count(*) AS n").execute()).toEqual([
      { n: photos.filter(({ label }) => label === "dog").length },
    ])
    expect(await client.table("animals").where("legs > 3").limit(1).execute()).toEqual(
      await client.query("SELECT * FROM animals LIMIT 1"),
    )
    expect(
      await client
        .table("animals")
        .select("Odd name")
        .execute()
        .catch((error) => error.message),
    ).toBe('SQL 1:8: there is no column "odd"; there are label, legs, clip, meta, Odd name, huge, box, tokens')
    expect(await client.table("animals").select('"Odd name"').orderBy("label").limit(1).execute()).toEqual([
      { "Odd name": "a" },
    ])
  })

  it("takes only what a call is for", async () => {
    const photosTable = client.table("photos")
    const why = (query: { execute(): Promise<unknown> }) => query.execute().catch((error) => error.message)
    expect(await why(photosTable.where("id = $1", 1).where("width > $1", 2))).toBe(
      'where("width > $1"): expected $2, found $1; the calls before have 1 values, and placeholders count across all calls',
    )
    expect(await why(photosTable.where("id = $1"))).toContain("expected no placeholder, as it has no values, found $1")
    expect(await why(photosTable.where("id = 1", 5))).toContain("expected $1, found none")
    expect(await why(photosTable.where("id = 1) OR (1 = 1"))).toContain("syntax error")
    expect(await why(photosTable.where("id = 1 LIMIT 5"))).toContain("expected only a condition")
    expect(await why(photosTable.where("id = 1 UNION SELECT 2"))).toContain("expected only a condition")
    expect(await why(photosTable.orderBy("id; DROP TABLE x"))).toContain("expected one statement")
    expect(await why(photosTable.orderBy("id LIMIT 1"))).toContain("expected only columns or expressions to sort by")
    expect(await why(photosTable.select("id FROM animals --"))).toContain("expected only columns or expressions")
    expect(await why(client.table('photos" --').limit(1))).toContain("there is no table")
    expect(() => photosTable.limit(-1)).toThrow("limit: expected a whole number")
    expect(
      await photosTable.select("id").where("id < 3 -- of all").orderBy("id DESC -- last").limit(1).execute(),
    ).toEqual([{ id: 2 }])
  })
})
