/** Versions: every ingest is one. There is no commit to call, and none to forget. */
import assert from "node:assert/strict"
import { initializeWasm, ManagedClient } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
await client.dropTable("labels")

await client.ingest("labels", { id: [1, 2], label: ["cat", "dog"] })
await client.tag("labels", "first")
await client.ingest("labels", { id: [3], label: ["cat"] })
await client.query("DELETE FROM labels WHERE id = 1")

// The log, newest first. `rows` are those that an ingest wrote; a statement has none.
const versions = await client.versions("labels")
for (const { version, mode, rows, tags } of versions) console.log(version, mode, rows, tags.join(" "))
assert.deepEqual(
  versions.map(({ rows }) => rows),
  [null, 1, 2],
)

// An older version is opened beside the one of now.
await using before = await client.openTable("labels", { at: "first" })
await using now = await client.openTable("labels")
assert.deepEqual([before.length, now.length], [2, 2])
assert.equal((await before.row(0)).label, "cat")

// What came and went, by items: each ingest of columns is one.
for await (const { change, item } of client.diff("labels", "first")) {
  console.log(`${change}: ${item}`)
  assert.equal(change, "added")
}

// A query is kept with the rows that it has now.
await client.saveView("labels", "cats", "SELECT * WHERE label = 'cat'")
await client.ingest("labels", { id: [4], label: ["cat"] })
await using cats = await client.loadView("labels", "cats")
assert.equal(cats.length, 1)

// Back to how it was, as a new version: nothing is lost.
await client.restore("labels", "first")
assert.deepEqual(await client.query("SELECT id FROM labels ORDER BY id"), [{ id: 1 }, { id: 2 }])
