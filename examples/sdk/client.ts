/** How to make a client, and what it does with tables. Code for the SDK changes its import; all else stays. */
import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { Client, initializeWasm, ManagedClient, TableError } from "sluice"

// Does nothing, at once: there is nothing to initialize.
await initializeWasm()

// Nobody is asked for a token: a database is a folder. Without options it is SLUICE_URI, or ./data.
const client = new ManagedClient({ token: process.env.DEEPLAKE_API_KEY })
assert.equal(client.uri, process.env.SLUICE_URI ?? "./data")

// A workspace is a folder of its own in it, so that tables of two workspaces do not mix.
const other = new ManagedClient({ token: "", workspaceId: "my-workspace", apiUrl: "http://custom:8080" })
assert.equal(other.uri, `${client.uri}/my-workspace`)

// The same by its own name.
const archive = new Client({ uri: "./archive" })

const { tableName, rowCount, datasetPath } = await client.ingest("people", {
  name: ["Alice", "Bob"],
  age: [30, 25],
  vector: [
    [0.5, 1],
    [1, 0.25],
  ],
})
console.log(`${rowCount} rows in ${datasetPath}`)
assert.deepEqual([tableName, rowCount, datasetPath], ["people", 2, `${client.uri}/people.lance`])
assert(existsSync(datasetPath)) // a Lance dataset: Python and DuckDB open it

// Types that are not to be guessed; EMBEDDING takes its width from the first vector.
await archive.ingest(
  "typed",
  { name: ["Carol"], count: [1], vector: [[1, 0, 0]] },
  { schema: { name: "TEXT", count: "INT32", vector: "EMBEDDING" } },
)

await other.ingest("people", { name: ["Dora"] })
assert.deepEqual(await other.query("SELECT name FROM people"), [{ name: "Dora" }])
assert.deepEqual(await archive.listTables(), ["typed"])

// A second call adds rows. To start over, drop the table first, or say `mode: "replace"`.
await client.ingest("people", { name: ["Eve"], age: [41], vector: [[0, 1]] })
assert.deepEqual(await client.query("SELECT count(*) AS count FROM people"), [{ count: 3 }])

await client.createIndex("people", "name")
await client.createIndex("people", "name") // there already: nothing happens

assert((await client.listTables()).includes("people"))
await client.dropTable("people")
await client.dropTable("people") // none there: nothing happens
await assert.rejects(client.dropTable("people", false), TableError)
console.log(`Remaining tables: ${(await client.listTables()).join(", ") || "none"}`)

// Nothing is held open; this is for code that closes its client.
await client.close()
