import { Client } from "sluice"

/** The notes of `search.ts`, whose texts have an index of stems by now, asked in SQL and by calls. */
export const askNotes = async (uri: string) => {
  const client = new Client({ uri })
  const query = new Float32Array([0, 2])

  const near = await client.query<{ n: number; score: number }>(
    "SELECT n, embedding <#> $1 AS score FROM notes ORDER BY score DESC LIMIT 2",
    [query],
  )
  const words = await client.query("SELECT n FROM notes WHERE text <#> $1 > 0 ORDER BY text <#> $1 DESC", ["engine"])
  const all = await client.query("SELECT n FROM notes WHERE text @> 'CAFE sea' OR n = 1")
  const both = await client.query(
    `WITH best AS (SELECT n, (embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, $2, 0.7, 0.3) AS score
       FROM notes WHERE n > 1 ORDER BY score DESC LIMIT 3)
     SELECT n, rank() OVER (ORDER BY score DESC) FROM best ORDER BY n`,
    [query, "engine"],
  )
  const found = await client
    .table<{ n: number; text: string }>("notes")
    .search("embedding", query, { hybrid: { column: "text", query: "engine", weights: { vector: 0.7, text: 0.3 } } })
    .where("_score > $1", 0.6)
    .select("n", "text")
    .execute()
  return { near, words, all, both, found: found.map(({ n, _score }) => ({ n, score: _score })) }
}
