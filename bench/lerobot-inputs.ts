/** A LeRobot dataset of frames with a state and an action of 26 numbers each, and the loop that reads it by hand. */
import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { type DuckDBDataChunk, DuckDBInstance, type DuckDBListVector } from "@duckdb/node-api"
import { LeRobotFrames } from "../src/formats/lerobot/frames.ts"
import { formatPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { type Cells, openBare } from "./bare.ts"
import { type TableShape, writeParquet } from "./inputs.ts"

const JOINTS = 26
const EPISODE = 300
const KEYS = ["observation.state", "action"]
const INDEXES = ["index", "episode_index", "frame_index", "task_index"]

const SHAPE: TableShape = [
  ...KEYS.map((key, at) => `list_transform(range(${JOINTS}), j -> sin(i * 0.01 + j + ${at})::FLOAT) AS "${key}"`),
  `((i % ${EPISODE}) / 30)::FLOAT AS timestamp`,
  `i % ${EPISODE} AS frame_index`,
  `i // ${EPISODE} AS episode_index`,
  "i AS index",
  "0::BIGINT AS task_index",
]

const names = Array.from({ length: JOINTS }, (_, joint) => `joint_${joint}`)
const number = { dtype: "int64", shape: [1], names: null }

const write = async (path: string, content: unknown): Promise<void> => {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, JSON.stringify(content))
}

/** One data file of v3.0, without videos. */
export const writeFrames = async (folder: string, frames: number): Promise<void> => {
  await write(join(folder, "meta/info.json"), {
    codebase_version: "v3.0",
    total_episodes: frames / EPISODE,
    fps: 30,
    video_path: null,
    features: {
      ...Object.fromEntries(KEYS.map((key) => [key, { dtype: "float32", shape: [JOINTS], names }])),
      ...Object.fromEntries(INDEXES.map((key) => [key, number])),
      timestamp: { ...number, dtype: "float32" },
    },
  })
  const data = join(folder, "data/chunk-000/file-000.parquet")
  const list = join(folder, "meta/episodes/chunk-000/file-000.parquet")
  for (const path of [data, list]) await mkdir(dirname(path), { recursive: true })
  await writeParquet(data, SHAPE, frames)
  const episode: TableShape = [
    ...["i AS episode_index", "['do it'] AS tasks", `${EPISODE}::BIGINT AS length`],
    ...['0::BIGINT AS "data/chunk_index"', '0::BIGINT AS "data/file_index"'],
  ]
  await writeParquet(list, episode, frames / EPISODE)
}

export const ourFrames = (datasetDir: string, output: string, unpack: boolean): Promise<unknown> => {
  const format = new LeRobotFrames({ datasetDir, unpack })
  return run(formatPlan({ name: "frames", format, sink: lance({ uri: output, table: "frames" }) }))
}

const scalars = (chunk: DuckDBDataChunk): Record<string, Cells[string]> =>
  Object.fromEntries(
    [...INDEXES, "timestamp"].map((name, column) => {
      const { items } = chunk.getColumnVector(column) as unknown as { readonly items: BigInt64Array | Float32Array }
      return [name, items.slice()]
    }),
  )

/** The numbers of all lists of a chunk, one list after the other. */
const floatsOf = (chunk: DuckDBDataChunk, column: number): Float32Array => {
  const { childData } = chunk.getColumnVector(column) as unknown as { readonly childData: DuckDBListVector }
  return (childData as unknown as { readonly items: Float32Array }).items.slice(0, chunk.rowCount * JOINTS)
}

const columnsOf = (key: string, floats: Float32Array, rows: number): Record<string, Float32Array> =>
  Object.fromEntries(
    names.map((name, joint) => {
      const values = new Float32Array(rows)
      for (let row = 0; row < rows; row++) values[row] = floats[row * JOINTS + joint] ?? 0
      return [`${key}_${name}`, values]
    }),
  )

/** DuckDB's vectors as typed arrays, one `add` for each chunk of 2,048 rows. */
export const bareFrames = async (input: string, output: string, unpack: boolean): Promise<void> => {
  const add = await openBare(output)
  const connection = await (await DuckDBInstance.create(":memory:")).connect()
  const columns = [...INDEXES, "timestamp", ...KEYS].map((name) => `"${name}"`).join(", ")
  const file = join(input, "data/chunk-000/file-000.parquet")
  const result = await connection.stream(`SELECT ${columns} FROM read_parquet('${file}')`)
  for await (const chunk of result) {
    const cells = scalars(chunk)
    for (const [at, key] of ["state", "action"].entries()) {
      const floats = floatsOf(chunk, INDEXES.length + 1 + at)
      if (unpack) Object.assign(cells, columnsOf(key, floats, chunk.rowCount))
      else cells[key] = { size: JOINTS, floats }
    }
    await add(cells)
  }
}
