/**
 * What a LeRobot dataset says of itself in `meta/info.json`, and the three layouts that are read: codebase v2.0, v2.1
 * and v3.0 (https://github.com/huggingface/lerobot, `lerobot/datasets`).
 */
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { checkPointer } from "../../media/lfs.ts"
import { describeValue } from "../../model/describe.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { parseJson } from "../../model/json-text.ts"
import { checkTemplate } from "./template.ts"

const SUPPORTED = ["v2.0", "v2.1", "v3.0"] as const

export type Codebase = (typeof SUPPORTED)[number]

/** What a feature is: `dtype` as numpy names it, or `string`, `image`, `video`. */
export interface Feature {
  readonly key: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** As it stands there: null, a list, lists in a list, or lists by name. */
  readonly names: unknown
}

export interface Info {
  /** Absolute path of the dataset's folder. */
  readonly root: string
  readonly codebase: Codebase
  /** Frames a second; undefined where the dataset does not say. */
  readonly fps: number | undefined
  /** v2: how many episodes a chunk has. */
  readonly chunkSize: number
  /** Episodes that there should be; undefined where the dataset does not say. */
  readonly totalEpisodes: number | undefined
  readonly dataPath: string
  /** Undefined where the dataset has no videos. */
  readonly videoPath: string | undefined
  /** In the order of the file. */
  readonly features: readonly Feature[]
}

/** The paths that LeRobot itself writes; `info.json` may name others. */
const PATHS: Readonly<Record<"2" | "3", { readonly data: string; readonly video: string }>> = {
  "2": {
    data: "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    video: "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
  },
  "3": {
    data: "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet",
    video: "videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4",
  },
}

const PLACEHOLDERS: Readonly<Record<"2" | "3", readonly string[]>> = {
  "2": ["episode_chunk", "episode_index"],
  "3": ["chunk_index", "file_index"],
}

/** https://github.com/huggingface/lerobot: `DEFAULT_CHUNK_SIZE` */
const CHUNK_SIZE = 1000

export const isV3 = ({ codebase }: Info): boolean => codebase === "v3.0"

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

const readJson = (path: string): unknown => {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new IngestError(
      `Expected a LeRobot dataset, whose folder has a file meta/info.json; it cannot be read: ${messageOf(error)}`,
      { cause: error },
    )
  }
  try {
    checkPointer(bytes)
    return parseJson(bytes.toString("utf8"))
  } catch (error) {
    throw new IngestError(`${path}: ${messageOf(error)}`, { cause: error })
  }
}

const codebaseOf = (version: unknown, path: string): Codebase => {
  const [, number] = /^v?(\d+\.\d+)(?:\.\d+)?$/.exec(String(version)) ?? []
  const found = SUPPORTED.find((name) => name === `v${number}`)
  if (found) return found
  throw new IngestError(
    `${path}: expected codebase_version ${SUPPORTED.join(", ")}, found ${JSON.stringify(version) ?? "none"}. Convert the dataset with LeRobot's own scripts, or get the revision of it that is tagged with one of these versions`,
  )
}

const featuresOf = (features: unknown, path: string): readonly Feature[] => {
  if (!isObject(features)) {
    throw new IngestError(`${path}: expected "features" with what a frame has, found ${describeValue(features)}`)
  }
  return Object.entries(features).map(([key, feature]) => {
    const { dtype, shape, names = null }: Json = isObject(feature) ? feature : {}
    const sizes = Array.isArray(shape) ? shape : [shape ?? 1]
    if (typeof dtype !== "string" || !sizes.every((size) => Number.isInteger(size) && size >= 0)) {
      throw new IngestError(
        `${path}: features.${key}: expected "dtype" and "shape" (a list of whole numbers), found ${describeValue(feature)}`,
      )
    }
    return { key, dtype, shape: sizes, names }
  })
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value > 0 ? value : undefined

/**
 * Reads `meta/info.json` below `datasetDir`.
 *
 * @throws {IngestError} when it is missing or broken, has a codebase version that is not read, or a path that cannot be.
 */
export const readInfo = (datasetDir: string): Info => {
  const root = resolve(datasetDir)
  const path = join(root, "meta", "info.json")
  const json = readJson(path)
  if (!isObject(json)) throw new IngestError(`${path}: expected a JSON object, found ${describeValue(json)}`)
  const codebase = codebaseOf(json.codebase_version, path)
  const major = codebase === "v3.0" ? "3" : "2"
  const { data_path = PATHS[major].data, video_path = PATHS[major].video } = json
  const known = PLACEHOLDERS[major]
  return {
    root,
    codebase,
    fps: numberOf(json.fps),
    chunkSize: numberOf(json.chunks_size) ?? CHUNK_SIZE,
    totalEpisodes: numberOf(json.total_episodes),
    dataPath: checkTemplate(`${path}: data_path`, data_path, known),
    videoPath:
      video_path === null ? undefined : checkTemplate(`${path}: video_path`, video_path, [...known, "video_key"]),
    features: featuresOf(json.features, path),
  }
}
