/** The three tables of a LeRobot dataset, in each of the layouts that it can have. */
import { createHash } from "node:crypto"
import { readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { LeRobotEpisodes } from "../../../src/formats/lerobot/episodes.ts"
import { LeRobotFrames } from "../../../src/formats/lerobot/frames.ts"
import { LeRobotTasks } from "../../../src/formats/lerobot/tasks.ts"
import type { Batch } from "../../../src/model/batch.ts"
import type { Summary } from "../../../src/model/events.ts"
import type { Format } from "../../../src/model/format.ts"
import { formatPlan, run } from "../../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../../src/sinks/memory.ts"
import { collect } from "../../fixtures/collect.ts"
import { decodeVideo } from "../../fixtures/decode.ts"
import {
  CAMERAS,
  type Codebase,
  EPISODES,
  expectedFrames,
  firstNumber,
  TASKS,
  videoPath,
  writeLeRobot,
} from "../../fixtures/lerobot.ts"
import { rowsOf } from "../../fixtures/plans.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const CODEBASES: readonly Codebase[] = ["v2.0", "v2.1", "v3.0"]

let folder = ""
beforeAll(async () => {
  folder = await tempFolder()
  for (const codebase of CODEBASES) await writeLeRobot(join(folder, codebase), codebase)
}, 30_000)

interface Result {
  readonly rows: Batch
  readonly names: readonly string[]
  readonly summary: Summary
  readonly thumbnails: number
}

const ingest = async (format: Format, database = new MemoryDatabase()): Promise<Result> => {
  const plan = formatPlan({ name: "t", format, sink: memory({ table: "t", database }) }, { workers: { threads: 2 } })
  const summary = await run(plan)
  const rows = database.rows("t")
  const thumbnails = database.has("t__thumbnails") ? database.rows("t__thumbnails").rows : 0
  return { rows, names: [...rows.columns.keys()].filter((name) => !name.startsWith("_")), summary, thumbnails }
}

const range = (start: number, length: number): number[] => Array.from({ length }, (_, i) => start + i)

describe.each(CODEBASES)("LeRobot %s", (codebase) => {
  it("gives its tasks", async () => {
    const { rows, names, summary } = await ingest(new LeRobotTasks({ datasetDir: join(folder, codebase) }))
    expect(rowsOf(rows, names)).toEqual(TASKS.map((task, index) => ({ task_index: BigInt(index), task })))
    expect(summary.rowsByMedium).toEqual({ lerobot_tasks: 2 })
  })

  it("gives its frames, with a column for each number, named as the dataset names it", async () => {
    const datasetDir = join(folder, codebase)
    const database = new MemoryDatabase()
    const { rows, names, summary, thumbnails } = await ingest(new LeRobotFrames({ datasetDir }), database)
    const [expected = {}] = expectedFrames()
    expect(names.filter((name) => name !== "depth_image")).toEqual(Object.keys(expected))
    expect(rowsOf(rows, Object.keys(expected))).toEqual(expectedFrames())
    expect(thumbnails).toBe(4 * rows.rows)
    expect(Object.keys(new LeRobotFrames({ datasetDir }).schema())).toEqual(names)
    expect(summary.items).toMatchObject({ done: codebase === "v3.0" ? 3 : 4, partial: 0, failed: 0 })
    const again = await ingest(new LeRobotFrames({ datasetDir }), database)
    expect(again.summary.items).toMatchObject({ done: 0, unchanged: summary.items.done })
  })

  it("keeps vectors whole when it is asked to", async () => {
    const datasetDir = join(folder, codebase)
    const { rows, names } = await ingest(new LeRobotFrames({ datasetDir, unpack: false, thumbnails: false }))
    expect(names.slice(5)).toEqual(["state", "action", "velocity", "grid", "depth_image", "next_done"])
    expect(rows.columns.get("state")?.type).toEqual({ name: "EMBEDDING", size: 8 })
    expect(rows.columns.get("velocity")?.type).toEqual({ name: "EMBEDDING", size: 2 })
    const frames = expectedFrames()
    const states = frames.flatMap((frame) =>
      Object.keys(frame).flatMap((key) => (/^state_/.test(key) ? frame[key] : [])),
    )
    expect([...(rows.columns.get("state")?.values ?? [])]).toEqual(states)
  })

  it("gives its episodes, each with the pictures that its cameras saw", async () => {
    const datasetDir = join(folder, codebase)
    const database = new MemoryDatabase()
    const { rows, names, summary } = await ingest(new LeRobotEpisodes({ datasetDir }), database)
    expect(names).toEqual(["episode_index", "task", "length", "exterior_1_video", "wrist_video"])
    expect(rowsOf(rows, ["episode_index", "task", "length"])).toEqual(
      EPISODES.map(({ index, tasks, length }) => ({
        episode_index: BigInt(index),
        task: tasks.join("; "),
        length: BigInt(length),
      })),
    )
    const all = rowsOf(rows, names.slice(3))
    for (const [position, { index, length }] of EPISODES.entries()) {
      for (const [camera, name] of names.slice(3).entries()) {
        const path = join(folder, `${codebase}-clip.mp4`)
        const bytes = all[position]?.[name] as Uint8Array
        await writeFile(path, bytes)
        const found = decodeVideo(path)
        expect(found.numbers).toEqual(range(firstNumber(camera, index), length))
        // Not only the same frames: the same pixels as those of the episode's own file.
        expect(found.hashes).toEqual(decodeVideo(join(folder, "v2.1", videoPath(camera, position))).hashes)
        expect(found.errors).toBe(0)
      }
    }
    expect(summary.items).toMatchObject({ done: 4, partial: 0, failed: 0 })
    const again = await ingest(new LeRobotEpisodes({ datasetDir }), database)
    expect(again.summary.items).toMatchObject({ done: 0, unchanged: 4 })
  })

  it("is read from the first to the last chunk that is asked for, both included", async () => {
    const datasetDir = join(folder, codebase)
    const of = async (options: { readonly chunkStart?: number; readonly chunkEnd?: number }) => {
      const frames = await ingest(new LeRobotFrames({ datasetDir, thumbnails: false, ...options }))
      const found = new Set([...(frames.rows.columns.get("episode_index")?.values ?? [])])
      const context = { signal: new AbortController().signal, warn: () => {} }
      const items = await collect(new LeRobotEpisodes({ datasetDir, ...options }).feed().source.items(context))
      expect(items.map(({ id }) => id)).toEqual([...found].map((episode) => `episode_00000${episode}`))
      return [...found].map(Number)
    }
    expect(await of({ chunkEnd: 0 })).toEqual([0, 1])
    expect(await of({ chunkStart: 1, chunkEnd: 1 })).toEqual([3])
    expect(await of({ chunkStart: 1 })).toEqual([3, 4])
  })
})

it("a dataset is taken from a folder that has been moved without doing anything again", async () => {
  const database = new MemoryDatabase()
  await ingest(new LeRobotEpisodes({ datasetDir: join(folder, "v3.0") }), database)
  const moved = join(folder, "elsewhere")
  await rename(join(folder, "v3.0"), moved)
  const { summary } = await ingest(new LeRobotEpisodes({ datasetDir: moved }), database)
  await rename(moved, join(folder, "v3.0"))
  expect(summary.items).toMatchObject({ done: 0, unchanged: 4 })
})

describe("an episode's video", () => {
  it("is the file's bytes in v2, and where it has a file for itself in v3", async () => {
    const { rows } = await ingest(new LeRobotEpisodes({ datasetDir: join(folder, "v2.0") }))
    const sha = (bytes: unknown): string =>
      createHash("sha256")
        .update(bytes as Uint8Array)
        .digest("hex")
    for (const [position, row] of rowsOf(rows).entries()) {
      for (const [camera, name] of ["exterior_1_video", "wrist_video"].entries()) {
        expect(sha(row[name])).toBe(sha(await readFile(join(folder, "v2.0", videoPath(camera, position)))))
      }
    }
    const v3 = await ingest(new LeRobotEpisodes({ datasetDir: join(folder, "v3.0") }))
    const alone = join(folder, "v3.0", `videos/${CAMERAS[0]}/chunk-000/file-001.mp4`)
    expect(sha(rowsOf(v3.rows)[3]?.exterior_1_video)).toBe(sha(await readFile(alone)))
  })
})

it("gives columns without a run", async () => {
  const all: unknown[] = []
  for await (const columns of new LeRobotTasks({ datasetDir: join(folder, "v3.0") }).normalize()) all.push(columns)
  expect(all).toEqual([{ task_index: BigInt64Array.of(0n, 1n), task: TASKS }])
  let rows = 0
  for await (const columns of new LeRobotFrames({ datasetDir: join(folder, "v2.1") }).normalize()) {
    rows += columns.state_x?.length ?? 0
  }
  expect(rows).toBe(expectedFrames().length)
})
