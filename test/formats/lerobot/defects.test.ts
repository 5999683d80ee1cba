/** What is wrong with datasets in the wild: it is said, and what can be read is read. */
import { cp, mkdir, rename, rm, symlink, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { LeRobotEpisodes } from "../../../src/formats/lerobot/episodes.ts"
import { LeRobotFrames } from "../../../src/formats/lerobot/frames.ts"
import { LeRobotTasks } from "../../../src/formats/lerobot/tasks.ts"
import { isNull, valueAt } from "../../../src/model/column.ts"
import { ConfigError, IngestError } from "../../../src/model/errors.ts"
import type { Feed } from "../../../src/model/feed.ts"
import type { ItemFormat } from "../../../src/model/format.ts"
import type { Item } from "../../../src/model/item.ts"
import type { Normalize, Rows } from "../../../src/model/normalizer.ts"
import {
  CAMERAS,
  type Codebase,
  dataPath,
  infoOf,
  videoPath,
  writeInfo,
  writeLeRobot,
  writeParquet,
} from "../../fixtures/lerobot.ts"
import { tempFolder } from "../../fixtures/temp.ts"

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"a".repeat(64)}\nsize 123456\n`

let whole = ""
beforeAll(async () => {
  whole = await tempFolder()
  for (const codebase of ["v2.1", "v3.0"] as const) await writeLeRobot(join(whole, codebase), codebase)
}, 30_000)

/** A copy of the dataset, to break. */
const broken = async (codebase: Codebase): Promise<string> => {
  const folder = join(await tempFolder(), "dataset")
  await cp(join(whole, codebase), folder, { recursive: true })
  return folder
}

interface Outcome {
  readonly rows: number
  readonly batches: readonly Rows[]
  readonly failed: Record<string, string>
  readonly partial: Record<string, string>
  readonly warnings: readonly string[]
}

/** What an engine does with a feed, without the table: every item, one after the other, in this thread. */
const outcome = async (format: ItemFormat): Promise<Outcome> => {
  const feed: Feed = format.feed(new Map())
  const tempDir = await tempFolder()
  const batches: Rows[] = []
  const failed: Record<string, string> = {}
  const partial: Record<string, string> = {}
  const warnings: string[] = []
  const { signal } = new AbortController()
  const { code } = feed
  const modules = async (module: string, name: string): Promise<Normalize> =>
    ((await import(module)) as Record<string, Normalize>)[name] as Normalize
  const normalize = "normalize" in code ? code.normalize : await modules(code.module, code.name)
  const one = async (item: Item): Promise<void> => {
    if (item.error !== undefined) throw new IngestError(item.error)
    const note = (message: string): void => {
      partial[item.id] = [partial[item.id], message].filter(Boolean).join("; ")
    }
    const context = { signal, tempDir, maxBytes: 2 ** 28, progress: () => {}, partial: note }
    for await (const rows of normalize(item, code.options, context)) batches.push(rows)
  }
  for await (const item of feed.source.items({ signal, warn: (message) => warnings.push(message) })) {
    await one(item).catch((error: Error) => {
      failed[item.id] = error.message
    })
  }
  const rows = batches.reduce((sum, { batch }) => sum + batch.rows, 0)
  return { rows, batches, failed, partial, warnings }
}

const tasks = (datasetDir: string) => outcome(new LeRobotTasks({ datasetDir }))
const frames = (datasetDir: string) => outcome(new LeRobotFrames({ datasetDir, thumbnails: false }))
const episodes = (datasetDir: string) => outcome(new LeRobotEpisodes({ datasetDir }))

/** For each episode, which of its videos are null. */
const nulls = ({ batches }: Outcome): string[][] =>
  batches.map(({ batch }) =>
    [...batch.columns].flatMap(([name, column]) => (name.endsWith("_video") && isNull(column, 0) ? [name] : [])),
  )

const LEFT = "exterior_1_video"

describe("videos", () => {
  it("that are missing, pointers, no videos or cut off are null, and those of other lengths stay", async () => {
    const folder = await broken("v2.1")
    await rm(join(folder, videoPath(0, 0)))
    await writeFile(join(folder, videoPath(0, 1)), POINTER)
    await writeFile(join(folder, videoPath(0, 2)), "this is no video")
    await cp(join(folder, videoPath(1, 3)), join(folder, videoPath(1, 2)))
    await truncate(join(folder, videoPath(0, 3)), 1000)
    const found = await episodes(folder)
    expect(found.rows).toBe(4)
    expect(found.failed).toEqual({})
    expect(nulls(found)).toEqual([[LEFT], [LEFT], [LEFT], [LEFT]])
    expect(found.partial).toEqual({
      episode_000000: expect.stringMatching(/^exterior_1_video: videos\/.*episode_000000\.mp4: File not found: /),
      episode_000001: expect.stringMatching(/episode_000001\.mp4: .*Git LFS pointer.*git lfs pull/),
      episode_000003: expect.stringMatching(
        /no video in a container.*; wrist_video: videos\/.*episode_000003\.mp4: expected 7 frames, found 9$/,
      ),
      episode_000004: expect.stringMatching(/episode_000004\.mp4: .*no "moov" box/),
    })
  })

  it("may stand in the folder video", async () => {
    const folder = await broken("v2.1")
    await rename(join(folder, "videos"), join(folder, "video"))
    const found = await episodes(folder)
    expect(nulls(found)).toEqual([[], [], [], []])
    expect(found.partial).toEqual({})
    expect(found.warnings).toEqual([expect.stringMatching(/The videos are in the folder video/)])
  })

  it("of v3 that are not where the list says are null", async () => {
    const folder = await broken("v3.0")
    await rm(join(folder, `videos/${CAMERAS[1]}`), { recursive: true })
    await writeFile(join(folder, `videos/${CAMERAS[0]}/chunk-000/file-001.mp4`), POINTER)
    const found = await episodes(folder)
    expect(nulls(found)).toEqual([["wrist_video"], ["wrist_video"], ["wrist_video"], [LEFT, "wrist_video"]])
    expect(found.partial.episode_000000).toMatch(/^wrist_video: videos\/.*wrist.*file-000\.mp4: File not found/)
    expect(found.partial.episode_000004).toMatch(/^exterior_1_video: videos\/.*file-001\.mp4: .*Git LFS pointer/)
  })

  it("that the list puts beyond the end of the file are null, and partly beyond it are cut short", async () => {
    const folder = await broken("v3.0")
    const path = join(folder, "meta/episodes/chunk-000/file-000.parquet")
    const key = `videos/${CAMERAS[0]}`
    const shift = `SELECT * REPLACE ("${key}/from_timestamp" + CASE episode_index WHEN 1 THEN 90 WHEN 3 THEN 0.3 ELSE 0 END AS "${key}/from_timestamp", "${key}/to_timestamp" + CASE episode_index WHEN 1 THEN 90 WHEN 3 THEN 0.3 ELSE 0 END AS "${key}/to_timestamp") FROM read_parquet('${join(whole, "v3.0", "meta/episodes/chunk-000/file-000.parquet")}')`
    await writeParquet(path, shift)
    const found = await episodes(folder)
    expect(nulls(found)).toEqual([[], [LEFT], [], []])
    expect(found.partial).toEqual({
      episode_000001: expect.stringMatching(/expected 1 frames, found 0/),
      episode_000003: expect.stringMatching(/expected 7 frames, found 4/),
    })
  })
})

describe("data files", () => {
  it("that are missing, pointers or damaged are failed items, and the others are read", async () => {
    const folder = await broken("v2.1")
    await rm(join(folder, dataPath("v2.1", 0)))
    await writeFile(join(folder, dataPath("v2.1", 1)), POINTER)
    await truncate(join(folder, dataPath("v2.1", 2)), 500)
    const found = await frames(folder)
    expect(found.rows).toBe(9)
    expect(found.failed).toEqual({
      [dataPath("v2.1", 0)]: expect.stringMatching(/File not found: .*episode_000000\.parquet .*episode 0/),
      [dataPath("v2.1", 1)]: expect.stringMatching(/Git LFS pointer.*git lfs pull/),
      [dataPath("v2.1", 2)]: expect.stringMatching(/cut off/),
    })
  })

  it("of v3 that are missing or pointers are failed items, and the others are read", async () => {
    const folder = await broken("v3.0")
    await rm(join(folder, dataPath("v3.0", 0)))
    await writeFile(join(folder, dataPath("v3.0", 2)), POINTER)
    const found = await frames(folder)
    expect(found.rows).toBe(9)
    expect(found.failed).toEqual({
      [`${dataPath("v3.0", 0)}/0`]: expect.stringMatching(/File not found: .*file-000\.parquet .*episode 0/),
      [`${dataPath("v3.0", 2)}/0`]: expect.stringMatching(/Git LFS pointer/),
    })
  })

  it("that the list does not have are read, and those of other lengths are told", async () => {
    const folder = await broken("v2.1")
    const line = (index: number, length: number) => JSON.stringify({ episode_index: index, tasks: ["a"], length })
    await writeFile(join(folder, "meta/episodes.jsonl"), `${line(0, 12)}\nno JSON\n${line(0, 11)}\n\n${line(3, 7)}`)
    const found = await frames(folder)
    expect(found.rows).toBe(28)
    expect(found.failed).toEqual({})
    expect(found.partial).toEqual({ [dataPath("v2.1", 0)]: expect.stringMatching(/has 12 frames, it has 11/) })
    expect(found.warnings).toEqual([
      expect.stringMatching(/^meta\/episodes\.jsonl:2: .*JSON/),
      expect.stringMatching(/lists 1 episodes a second time/),
      expect.stringMatching(/^2 data files are not in the list.*episode_000001.*episode_000004/),
    ])
    const listed = await episodes(folder)
    expect(listed.rows).toBe(4)
    expect(listed.failed).toEqual({ "meta/episodes.jsonl:2": expect.stringMatching(/JSON/) })
    expect(listed.partial.episode_000001).toMatch(/not in the list of episodes/)
  })

  it("that lack a column, or have other pictures than bytes, give nulls", async () => {
    const folder = await broken("v2.1")
    const source = `read_parquet('${join(whole, "v2.1", dataPath("v2.1", 0))}')`
    await writeParquet(
      join(folder, dataPath("v2.1", 0)),
      `SELECT * EXCLUDE (action) REPLACE ({'bytes': NULL::BLOB, 'path': 'a.png'} AS "observation.images.depth") FROM ${source}`,
    )
    await writeParquet(
      join(folder, dataPath("v2.1", 1)),
      `SELECT * REPLACE ([1]::FLOAT[] AS "observation.state") FROM read_parquet('${join(whole, "v2.1", dataPath("v2.1", 1))}')`,
    )
    const found = await frames(folder)
    expect(found.rows).toBe(27)
    expect(found.partial[dataPath("v2.1", 0)]).toMatch(/lacks columns.*action_x.*; 11 pictures have no bytes/)
    expect(found.failed).toEqual({ [dataPath("v2.1", 1)]: expect.stringMatching(/expected 8 numbers, found 1/) })
    const [first] = found.batches
    expect(first && isNull(first.batch.columns.get("action_x") as never, 3)).toBe(true)
    expect(first && valueAt(first.batch.columns.get("state_x") as never, 3)).toBe(3)
  })
})

describe("lists", () => {
  it("of episodes that are empty or missing leave the files to be read", async () => {
    for (const content of ["", undefined, POINTER]) {
      const folder = await broken("v2.1")
      await rm(join(folder, "meta/episodes.jsonl"))
      if (content !== undefined) await writeFile(join(folder, "meta/episodes.jsonl"), content)
      const found = await frames(folder)
      expect(found.rows).toBe(28)
      expect(found.warnings).toEqual([
        expect.stringMatching(/(is empty|File not found|Git LFS pointer).*taken from the files that are there/),
      ])
      const listed = await episodes(folder)
      expect(listed.rows).toBe(4)
      expect(listed.batches.map(({ batch }) => valueAt(batch.columns.get("length") as never, 0))).toEqual([
        11n,
        1n,
        7n,
        9n,
      ])
      expect(nulls(listed)).toEqual([[], [], [], []])
    }
    const folder = await broken("v3.0")
    await writeFile(join(folder, "meta/episodes/chunk-000/file-000.parquet"), POINTER)
    expect((await frames(folder)).rows).toBe(28)
    expect((await episodes(folder)).failed).toEqual({
      "meta/episodes/chunk-000/file-000.parquet": expect.stringMatching(/Git LFS pointer/),
    })
    await rm(join(folder, "meta/episodes"), { recursive: true })
    expect((await frames(folder)).rows).toBe(28)
    await expect(episodes(folder)).rejects.toThrow(/there is no file meta\/episodes/)
  })

  it("of tasks that are empty, missing or broken are told", async () => {
    const folder = await broken("v2.1")
    const path = join(folder, "meta/tasks.jsonl")
    await writeFile(path, `{"task_index": 0, "task": "a"}\n{"task_index": "b"}\n{"task_index": 2, "task": "c"}\n`)
    expect(await tasks(folder)).toMatchObject({
      rows: 2,
      partial: { "meta/tasks.jsonl": expect.stringMatching(/^meta\/tasks\.jsonl:2: expected a line such as/) },
    })
    await writeFile(path, "")
    expect((await tasks(folder)).failed).toEqual({ "meta/tasks.jsonl": expect.stringMatching(/has no tasks/) })
    await writeFile(path, POINTER)
    expect((await tasks(folder)).failed).toEqual({ "meta/tasks.jsonl": expect.stringMatching(/Git LFS pointer/) })
    await rm(path)
    expect((await tasks(folder)).failed).toEqual({ "meta/tasks.jsonl": expect.stringMatching(/File not found/) })
    const v3 = await broken("v3.0")
    await writeParquet(join(v3, "meta/tasks.parquet"), "SELECT 7::BIGINT AS task_index, 'named' AS task")
    expect((await tasks(v3)).batches[0]?.batch.rows).toBe(1)
    await writeParquet(join(v3, "meta/tasks.parquet"), "SELECT 7::BIGINT AS other")
    expect((await tasks(v3)).failed).toEqual({
      "meta/tasks.parquet": expect.stringMatching(/expected the columns task_index/),
    })
  })
})

describe("meta/info.json", () => {
  const wrong: readonly (readonly [string, object | string, RegExp])[] = [
    ["another version", { codebase_version: "v1.6" }, /expected codebase_version v2\.0, v2\.1, v3\.0, found "v1\.6"/],
    ["no version", { codebase_version: undefined }, /expected codebase_version .*, found none/],
    ["too many levels", "[".repeat(1000) + "]".repeat(1000), /info\.json: expected at most 256 levels/],
    ["no features", { features: undefined }, /expected "features"/],
    [
      "an unknown placeholder",
      { data_path: "data/{split}/{episode_index}.parquet" },
      /data_path: expected the placeholders \{episode_chunk\}, .*found \{split\}/,
    ],
    [
      "a shape that is none",
      { features: { action: { dtype: "float32", shape: ["a"] } } },
      /features\.action: expected/,
    ],
    ["no JSON", "{", /info\.json: .*JSON/],
    ["a pointer", POINTER, /info\.json: .*Git LFS pointer/],
  ]
  it.each(wrong)("with %s ends the run", async (_, change, message) => {
    const folder = join(await tempFolder(), "d")
    await mkdir(join(folder, "meta"), { recursive: true })
    if (typeof change === "string") await writeFile(join(folder, "meta/info.json"), change)
    else await writeInfo(folder, { ...infoOf("v2.1"), ...change })
    for (const read of [tasks, frames, episodes]) await expect(read(folder)).rejects.toThrow(message)
    await expect(frames(folder)).rejects.toThrow(IngestError)
  })

  it("that is missing ends the run", async () => {
    await expect(tasks(await tempFolder())).rejects.toThrow(/has a file meta\/info\.json/)
  })

  it("names no files outside of the dataset", async () => {
    const folder = await broken("v2.1")
    await writeInfo(folder, { ...infoOf("v2.1"), data_path: "../../{episode_index}.parquet" })
    const found = await frames(folder)
    expect(found.rows).toBe(0)
    expect(Object.values(found.failed)).toEqual(Array(4).fill(expect.stringMatching(/goes up with ".."/)))
    await writeInfo(folder, infoOf("v2.1"))
    const outside = join(await tempFolder(), "outside.parquet")
    await cp(join(folder, dataPath("v2.1", 0)), outside)
    await rm(join(folder, dataPath("v2.1", 0)))
    await symlink(outside, join(folder, dataPath("v2.1", 0)))
    expect((await frames(folder)).failed).toEqual({ [dataPath("v2.1", 0)]: expect.stringMatching(/leads to/) })
  })
})

it("chunks are whole numbers, the last not before the first, and those that are not there are told", async () => {
  const datasetDir = join(whole, "v2.1")
  expect(() => new LeRobotFrames({ datasetDir, chunkStart: -1 })).toThrow(ConfigError)
  expect(() => new LeRobotEpisodes({ datasetDir, chunkStart: 3, chunkEnd: 2 })).toThrow(/chunkEnd \(2\) is before/)
  const none = await outcome(new LeRobotFrames({ datasetDir, chunkStart: 7, chunkEnd: 9 }))
  expect(none).toMatchObject({ rows: 0, warnings: [expect.stringMatching(/No data files in chunks 7 to 9/)] })
})
