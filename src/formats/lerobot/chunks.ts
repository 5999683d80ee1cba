/** The options that choose what of a LeRobot dataset is read. */
import { ConfigError } from "../../model/errors.ts"
import type { Field } from "../../model/fields.ts"
import { type Info, isV3 } from "./info.ts"

export interface ChunkOptions {
  /** First chunk that is read. Default 0. */
  readonly chunkStart?: number
  /** Last chunk that is read, itself included. Default: the last there is. */
  readonly chunkEnd?: number
}

/** Numbers of the folders `data/chunk-NNN`, both included. */
export interface Chunks {
  readonly first: number
  readonly last: number
}

export const DATASET_DIR = {
  type: "text",
  description: "Folder of the dataset, with meta/info.json in it; a relative one from the working directory.",
} as const satisfies Field

export const CHUNK_FIELDS = {
  chunk_start: {
    type: "integer",
    min: 0,
    default: 0,
    description: "First chunk to read: the number of its folder data/chunk-NNN.",
  },
  chunk_end: {
    type: "integer",
    min: 0,
    optional: true,
    description: "Last chunk to read, itself included. By default all there are.",
  },
} as const satisfies Readonly<Record<string, Field>>

/** @throws {ConfigError} when they are no whole numbers from 0, or the end is before the start. */
export const chunksOf = (owner: string, { chunkStart = 0, chunkEnd }: ChunkOptions): Chunks => {
  const last = chunkEnd ?? Number.POSITIVE_INFINITY
  for (const [name, value] of Object.entries({ chunkStart, chunkEnd: chunkEnd ?? 0 })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new ConfigError(`${owner}.${name}: expected a whole number of at least 0, found ${JSON.stringify(value)}`)
    }
  }
  if (last < chunkStart) {
    throw new ConfigError(`${owner}: chunkEnd (${last}) is before chunkStart (${chunkStart}); both are included`)
  }
  return { first: chunkStart, last }
}

export const isIn = (chunk: number, { first, last }: Chunks): boolean => chunk >= first && chunk <= last

export const isAll = ({ first, last }: Chunks): boolean => first === 0 && last === Number.POSITIVE_INFINITY

/** v2: the chunk of an episode. */
export const chunkOfEpisode = (episode: number, { chunkSize }: Info): number => Math.floor(episode / chunkSize)

/** The chunk of a data file, from the numbers in its path. */
export const chunkOfFile = (info: Info, values: Readonly<Record<string, number>>): number =>
  isV3(info) ? (values.chunk_index ?? 0) : (values.episode_chunk ?? chunkOfEpisode(values.episode_index ?? 0, info))
