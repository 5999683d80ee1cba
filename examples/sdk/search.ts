/** Searching by meaning, by words, and by both; with and without indexes. */
import assert from "node:assert/strict"
import { initializeWasm, ManagedClient } from "sluice"
import { embed } from "./embed.ts"

await initializeWasm()
const client = new ManagedClient({ token: "" })
await client.dropTable("search_index")

const documents = ["Doc about AI", "Doc about neural networks", "Doc about databases", "A database of networks"]
await client.ingest(
  "search_index",
  { id: ["a", "b", "c", "d"], text: documents, embedding: documents.map(embed) },
  { index: ["embedding", "text"] },
)
const best = (rows: readonly { readonly [column: string]: unknown }[]) => rows.map(({ id }) => id).join("")

// The nearest vectors: higher is nearer. The parameter is an array, a Float32Array, or text in PostgreSQL's manner.
const vector = embed("databases")
const nearest = await client.query(
  "SELECT id, text, embedding <#> $1 AS similarity FROM search_index ORDER BY similarity DESC LIMIT 2",
  [vector],
)
for (const { similarity, text } of nearest) console.log(`${Number(similarity).toFixed(3)}: ${text}`)
assert.equal(best(nearest), "cd")

const literal = `{${vector.join(",")}}`
const cast = "SELECT id, embedding <#> $1::float4[] AS score FROM search_index ORDER BY score DESC LIMIT 2"
assert.equal(best(await client.query(cast, [literal])), "cd")
const inline = `SELECT id FROM search_index ORDER BY embedding <#> ARRAY[${vector.join(", ")}]::float4[] DESC LIMIT 2`
assert.equal(best(await client.query(inline)), "cd")

// Words: BM25, the best first; all words of a text; any piece of it.
const words = "SELECT id, text <#> $1 AS score FROM search_index ORDER BY score DESC LIMIT 2"
assert.equal(best(await client.query(words, ["neural networks"])), "bd")
assert.equal(best(await client.query("SELECT * FROM search_index WHERE text @> $1", ["networks"])), "bd")
assert.equal(best(await client.query("SELECT id FROM search_index WHERE text LIKE '%data%'")), "cd")

// Both, with weights for vector and words.
const hybrid = await client.query(
  `SELECT id, (embedding, text)::deeplake_hybrid_record <#> deeplake_hybrid_record($1, $2, 0.7, 0.3) AS score
   FROM search_index ORDER BY score DESC LIMIT 2`,
  [embed("networks"), "neural networks"],
)
assert.equal(best(hybrid), "bd")

// Several vectors for each row and for the query (MaxSim): each finds its best match, and the matches are added up.
await client.dropTable("passages")
const passages = [["rivers", "gates"], ["networks"], ["gates", "networks"]]
await client.ingest(
  "passages",
  { id: ["x", "y", "z"], embeddings: passages.map((parts) => parts.map(embed)) },
  { schema: { embeddings: "MULTI_EMBEDDING" } },
)
const passage = await client.query("SELECT id FROM passages ORDER BY embeddings <#> $1 DESC LIMIT 1", [
  [embed("gate"), embed("network")],
])
assert.equal(best(passage), "z")

// The same by calls, and without SQL: then the column is found by what is searched for.
const both = { hybrid: { column: "text", query: "neural networks", weights: { vector: 0.7, text: 0.3 } } }
const called = client.table("search_index").search("embedding", embed("networks"), both).where("id <> $1", "d")
assert.equal(best(await called.select("id", "_score").limit(1).execute()), "b")
assert.equal(best(await client.search("search_index", { query: vector, limit: 2, columns: ["id"] })), "cd")
assert.equal(best(await client.search("search_index", { query: "neural networks", columns: ["id"] })), "bd")

// Indexes, also in SQL: words of a text, or a text as a whole (for equality and ranges).
await client.createIndex("search_index", "text")
await client.query(
  "CREATE INDEX IF NOT EXISTS by_text ON search_index USING deeplake_index (text) WITH (index_type = 'bm25')",
)
await client.query("CREATE INDEX ON search_index USING deeplake_index (id) WITH (index_type = 'exact_text')")
