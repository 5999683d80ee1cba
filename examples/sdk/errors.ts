/** What goes wrong, what it is called, and what to do. */
import assert from "node:assert/strict"
import { IngestError, initializeWasm, ManagedClient, ManagedServiceError, TableError } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
await client.dropTable("mistakes")
await client.ingest("mistakes", { id: [1], text: ["a word"], flag: [true] })

/** The error of something that has to fail. */
const failure = async (promise: Promise<unknown>): Promise<ManagedServiceError> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  )
  // All of them are one kind of error; anything else is a fault.
  if (!(error instanceof ManagedServiceError)) throw new Error("expected a failure", { cause: error })
  console.log(`${error.name}: ${error.message}`)
  return error
}
const expectError = async (promise: Promise<unknown>, kind: typeof ManagedServiceError, words: RegExp) => {
  const error = await failure(promise)
  assert(error instanceof kind, `expected a ${kind.name}, found a ${error.name}`)
  assert.match(error.message, words)
}

// @ts-expect-error A list is no dict: the compiler says so, too.
await expectError(client.ingest("mistakes", ["a", "b"]), IngestError, /data must be a dict/)
await expectError(client.ingest("mistakes", {}), IngestError, /data must not be empty/)
await expectError(client.ingest("mistakes", null), IngestError, /data must not be empty/)
await expectError(
  client.ingest("mistakes", { path: ["inputs/none.mp4"] }, { schema: { path: "FILE" } }),
  IngestError,
  /File not found/,
)
// An existing table is added to. Who wants it to be an error says so.
await expectError(client.ingest("mistakes", { id: [2] }, { mode: "error" }), TableError, /Table already exists/)
await expectError(client.createIndex("mistakes", "nothing"), TableError, /Index creation failed/)
await expectError(client.query("SELECT * FROM nothing"), TableError, /does not exist|no table/i)
await expectError(client.query("SELECT lable FROM mistakes"), TableError, /lable/)
await expectError(
  client.query("SELECT sum(a * b) FROM generate_series(1, 100000) a, generate_series(1, 100000) b", undefined, {
    timeoutMs: 1,
  }),
  TableError,
  /Query timed out/,
)
