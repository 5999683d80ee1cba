/** Asking: calls, SQL, results that are too large to be held, changing rows. */
import assert from "node:assert/strict"
import { initializeWasm, ManagedClient } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
await client.dropTable("documents")

const numbers = Array.from({ length: 250 }, (_, id) => id)
await client.ingest("documents", {
  id: numbers.map((id) => `doc-${String(id).padStart(3, "0")}`),
  file_id: numbers.map((id) => (id < 100 ? "abc123" : "def456")),
  text: numbers.map((id) => (id % 10 === 0 ? `About machine learning, ${id}` : `About something else, ${id}`)),
  start_time: numbers.map((id) => id * 0.5),
  metadata: numbers.map((id) => ({ page: id })),
})

// Few rows: by calls, or in SQL.
const some = await client.table("documents").select("id", "text").limit(100).execute()
assert.equal(some.length, 100)
assert.equal((await client.query("SELECT * FROM documents LIMIT 10")).length, 10)
assert.equal((await client.table("documents").execute()).length, 250)

// Conditions: all of them have to hold. Placeholders count across the calls; a condition can do without.
const late = await client
  .table("documents")
  .select("id", "text", "start_time")
  .where("file_id = $1", "abc123")
  .where("start_time > $2", 30)
  .where("start_time <= 40")
  .orderBy("start_time ASC")
  .limit(10)
  .offset(0)
  .execute()
console.log(`From ${late[0]?.start_time} s on: ${late.map(({ id }) => id).join(", ")}`)
assert.deepEqual([late.length, late[0]?.id], [10, "doc-061"])

const learning = await client.table("documents").where("text LIKE '%machine learning%'").limit(50).execute()
assert.equal(learning.length, 25)

// Page by page.
const pageSize = 20
const page = 3
const third = await client
  .table("documents")
  .select("id")
  .orderBy("id ASC")
  .limit(pageSize)
  .offset(pageSize * (page - 1))
  .execute()
assert.deepEqual([third.length, third[0]?.id], [20, "doc-040"])

// Values belong into parameters.
const rows = await client.query("SELECT * FROM documents WHERE file_id = $1", ["def456"])
assert.equal(rows.length, 150)
const [total] = await client.query("SELECT COUNT(*) as count FROM documents", undefined, { timeoutMs: 300_000 })
console.log(`Total: ${total?.count} rows`)
assert.equal(total?.count, 250)

// More than fits into memory: some rows at a time, in SQL or as columns (see training.ts).
let streamed = 0
for await (const part of client.stream("SELECT id, text FROM documents")) streamed += part.length
assert.equal(streamed, 250)

// Changing rows. Keys are yours to make: no column numbers itself. metadata is JSON, which comes back as text.
const [added] = await client.query(
  "INSERT INTO documents (id, text) VALUES (gen_random_uuid()::text, $1) RETURNING id",
  ["New doc"],
)
await client.query(`UPDATE documents SET metadata = '{"reviewed": true}'::jsonb WHERE id = $1`, [String(added?.id)])
const [reviewed] = await client.query("SELECT metadata FROM documents WHERE metadata ->> 'reviewed' = 'true'")
assert.deepEqual(JSON.parse(String(reviewed?.metadata)), { reviewed: true })
await client.query("DELETE FROM documents WHERE file_id = $1", ["def456"])
assert.deepEqual(await client.query("SELECT count(*) AS left FROM documents"), [{ left: 101 }])
