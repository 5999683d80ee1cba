/** LeRobot datasets with damaged data files, videos and metadata. */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { expect, it } from "vitest"
import { LeRobotEpisodes, LeRobotFrames, LeRobotTasks } from "../../src/formats/lerobot/index.ts"
import type { Format } from "../../src/model/format.ts"
import {
  CAMERAS,
  type Codebase,
  dataPath,
  EPISODES,
  FPS,
  infoOf,
  writeInfo,
  writeLeRobot,
} from "../fixtures/lerobot.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"
import { fewMutantsOf, type Good, type Mutant, mutantsOf, TIMEOUT } from "./mutants.ts"
import { checkRun, lostOnes, type Ran, renamed, runEach, runFormat, silentOnes } from "./outcomes.ts"

const fileOf = async (path: string): Promise<Good> => {
  const [, name = "", extension = ""] = /([^/]+)\.(\w+)$/.exec(path) ?? []
  return { name, extension, bytes: await readFile(path) }
}

const dataset = async (codebase: Codebase): Promise<string> => {
  const dir = await tempFolder()
  await writeLeRobot(dir, codebase, { videos: false })
  return dir
}

const FRAMES = EPISODES[0]?.length ?? 0

const episode = (index: number): string => `episode_${String(index).padStart(6, "0")}`

/** A dataset of v2.1 with an episode for each mutant, whose file it is; and with one camera. */
const episodesOf = async (mutants: readonly Mutant[], pathOf: (index: number) => string): Promise<string> => {
  const dir = await tempFolder()
  const info = infoOf("v2.1")
  const features = Object.fromEntries(Object.entries(info.features).filter(([key]) => key !== CAMERAS[1]))
  await writeInfo(dir, { ...info, features, chunks_size: 10_000, total_episodes: mutants.length })
  for (const [index, { bytes }] of mutants.entries()) {
    const path = join(dir, pathOf(index))
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, bytes)
  }
  const lines = mutants.map((_, episode_index) => JSON.stringify({ episode_index, tasks: [], length: FRAMES }))
  await writeFile(join(dir, "meta/episodes.jsonl"), lines.join("\n"))
  return dir
}

/** The mutant that an episode is of. */
const mutantOf = (mutants: readonly Mutant[]) => (item: string) =>
  mutants[Number(/episode_(\d+)/.exec(item)?.[1])]?.name ?? item

it(
  "data files are frames or one record each, and none that is cut off passes for whole",
  async () => {
    const mutants = mutantsOf(await fileOf(join(await dataset("v2.1"), dataPath("v2.1", 0))))
    const datasetDir = await episodesOf(mutants, (index) => `data/chunk-000/${episode(index)}.parquet`)
    const ran = renamed(await runFormat("frames", new LeRobotFrames({ datasetDir })), mutantOf(mutants))
    checkRun(ran, mutants)
    expect(silentOnes(ran, mutants)).toEqual([])
    expect(lostOnes(ran, mutants)).toEqual([])
  },
  TIMEOUT,
)

it(
  "videos are whole, or what is missing of the episode is told",
  async () => {
    const path = join(await tempFolder(), "video.mp4")
    const size = { width: 128, height: 64, audioCodec: false } as const
    writeVideo(path, { ...size, seconds: FRAMES / FPS, fps: FPS, gop: 2, fastStart: true })
    const mutants = mutantsOf(await fileOf(path))
    const datasetDir = await episodesOf(mutants, (index) => `videos/chunk-000/${CAMERAS[0]}/${episode(index)}.mp4`)
    const ran = renamed(await runFormat("episodes", new LeRobotEpisodes({ datasetDir })), mutantOf(mutants))
    checkRun(ran, mutants)
    expect(silentOnes(ran, mutants)).toEqual([])
    expect(lostOnes(ran, mutants)).toEqual([])
  },
  TIMEOUT,
)

const FORMATS = {
  frames: (datasetDir: string) => new LeRobotFrames({ datasetDir }),
  episodes: (datasetDir: string) => new LeRobotEpisodes({ datasetDir }),
  tasks: (datasetDir: string) => new LeRobotTasks({ datasetDir }),
} satisfies Readonly<Record<string, (datasetDir: string) => Format>>

const MANY = true
const FEW = false

/** Of what is read by the same code, or by workers, which take a while to start, a few are enough. */
const METADATA: readonly (readonly [Codebase, string, keyof typeof FORMATS, many: boolean])[] = [
  ["v2.1", "meta/info.json", "frames", MANY],
  ["v2.1", "meta/tasks.jsonl", "tasks", MANY],
  ["v2.1", "meta/episodes.jsonl", "frames", MANY],
  ["v2.1", "meta/episodes.jsonl", "episodes", FEW],
  ["v3.0", "meta/info.json", "frames", FEW],
  ["v3.0", "meta/tasks.parquet", "tasks", MANY],
  ["v3.0", "meta/episodes/chunk-000/file-000.parquet", "frames", MANY],
  ["v3.0", "meta/episodes/chunk-000/file-000.parquet", "episodes", FEW],
  ["v3.0", "data/chunk-000/file-000.parquet", "frames", FEW],
]

/** A line that is not whole shows; that there were more of them does not. */
const endsWithLine = ({ bytes, from }: Mutant): boolean =>
  from.extension === "jsonl" && Buffer.from(bytes).toString().trimEnd().endsWith("}")

const isTold = ({ summary: { items, warnings } }: Ran): boolean => items.failed + items.partial + warnings.length > 0

it.each(METADATA)(
  "%s: a damaged %s is refused, or told, where %s are read",
  async (codebase, file, name, many) => {
    const datasetDir = await dataset(codebase)
    const path = join(datasetDir, file)
    const good = await fileOf(path)
    const mutants = many ? mutantsOf(good) : fewMutantsOf(good)
    const isFine = (mutant: Mutant, ran: Ran): boolean => mutant.kind !== "cut" || endsWithLine(mutant) || isTold(ran)
    expect(await runEach(`${codebase} ${file}, ${name}`, mutants, path, FORMATS[name](datasetDir), isFine)).toEqual([])
  },
  TIMEOUT,
)
