/** Training: batches of arrays, parts of a table, shuffled; what stands in the place of a DataLoader. */
import assert from "node:assert/strict"
import { initializeWasm, LeRobotEpisodes, LeRobotFrames, LeRobotTasks, ManagedClient } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
for (const table of ["droid_tasks", "droid_frames", "droid_episodes"]) await client.dropTable(table)

// A LeRobot dataset is three tables. chunkEnd is the last chunk that is read; the others are added later.
const datasetDir = "inputs/droid"
await client.ingest("droid_tasks", null, { format: new LeRobotTasks({ datasetDir }) })
await client.ingest("droid_frames", null, { format: new LeRobotFrames({ datasetDir, chunkStart: 0, chunkEnd: 1 }) })
await client.ingest("droid_frames", null, { format: new LeRobotFrames({ datasetDir, chunkStart: 2, chunkEnd: 2 }) })
await client.ingest("droid_episodes", null, { format: new LeRobotEpisodes({ datasetDir }) })

const frames = await client.query(`
  SELECT episode_index, frame_index, state_x, state_y, action_x, action_y FROM droid_frames
  WHERE episode_index = 0 ORDER BY frame_index LIMIT 10
`)
for (const { frame_index, state_x, state_y } of frames) console.log(`Frame ${frame_index}: (${state_x}, ${state_y})`)
assert.equal(frames.length, 10)

// Batches: an object with an array for each column. Close the dataset at the end: `await using` does it.
await using ds = await client.openTable("droid_frames")
console.log(`Dataset: ${ds.length} frames of ${ds.schema.size} columns`)
let seen = 0
for await (const batch of ds.batches(32)) seen += batch.index?.length ?? 0
assert.deepEqual([ds.length, seen], [28, 28])

// Behaviour cloning: a subset of rows and columns, then epochs in an order of their own.
const STATES = ["state_x", "state_y", "state_z"] as const
const ACTIONS = ["action_x", "action_y"] as const
type Frames = { readonly [column in (typeof STATES)[number] | (typeof ACTIONS)[number]]: Float32Array }
const view = await ds.query(`SELECT ${[...STATES, ...ACTIONS].join(", ")} WHERE episode_index < 4`)
for (let epoch = 0; epoch < 3; epoch++) {
  let frames = 0
  for await (const batch of view.batches<Frames>(8, { shuffle: true, seed: epoch })) {
    const states = STATES.map((column) => batch[column])
    const actions = ACTIONS.map((column) => batch[column])
    frames += states[0]?.length ?? 0 // train(model, states, actions)
    assert.equal(actions[0]?.length, states[0]?.length)
  }
  assert.equal(frames, view.length)
}

// Conditions, order and limit as in a query. Parts that have no row in common.
const few = await ds.query(
  "SELECT * WHERE episode_index IN (0, 3) AND frame_index > 2 ORDER BY timestamp DESC LIMIT 10",
)
assert.equal(few.length, 10)
const [train, test] = await ds.randomSplit([0.8, 0.2], 1)
assert.equal((train?.length ?? 0) + (test?.length ?? 0), 28)

// Each row as often as it counts.
const often = await ds.sampleBy(
  Array.from({ length: ds.length }, (_, row) => (row === 0 ? 1 : 0)),
  { size: 5 },
)
assert.equal(often.length, 5)

// Videos are bytes of a row; they are read where they are named.
await using episodes = await client.openTable("droid_episodes")
const { exterior_1_video } = await episodes.row(0, { columns: ["exterior_1_video"] })
assert(exterior_1_video instanceof Uint8Array && exterior_1_video.length > 1000)
for await (const { task } of episodes.batches<{ task: string[] }>(2, { columns: ["task"], prefetch: 4 })) {
  console.log(task.join("; "))
}

// Streams for whoever wants them: of the web, and of Node.
let streamed = 0
for await (const _ of ds.batches(10).toWeb()) streamed++
assert.equal(streamed, 3)
