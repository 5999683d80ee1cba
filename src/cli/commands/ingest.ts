/** `sluice ingest PATH... --table T` */
import type { Plan, WriteMode } from "../../engine/plan.ts"
import { NORMALIZERS } from "../../normalizers/index.ts"
import { filesPlan, type MediaOptions } from "../../pipeline.ts"
import { lance } from "../../sinks/lance.ts"
import { files } from "../../sources/files.ts"
import type { Environment } from "../environment.ts"
import { type OutputOptions, runPlans } from "../running.ts"

interface MediaFlags {
  readonly chunkSize?: number
  readonly chunkOverlap?: number
  readonly dpi?: number
  readonly segment?: string
  readonly thumbnails: boolean
}

interface IngestOptions extends MediaFlags, OutputOptions {
  readonly table: string
  readonly uri: string
  readonly index?: readonly string[]
  readonly mode: WriteMode
  readonly includeHidden?: boolean
  readonly exclude?: readonly string[]
  readonly threads?: number
  readonly flushEvery?: number
  readonly commitEvery?: number
  readonly maxErrors?: number
}

/** What was asked for, given to each medium that has such an option. */
const mediaOptions = (flags: MediaFlags): MediaOptions => {
  const given = Object.entries({
    chunk_size: flags.chunkSize,
    chunk_overlap: flags.chunkOverlap,
    dpi: flags.dpi,
    segment: flags.segment,
    // Thumbnails are the default; only their absence is said.
    thumbnails: flags.thumbnails ? undefined : false,
  }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(
    NORMALIZERS.map(({ name, options }) => [name, Object.fromEntries(given.filter(([key]) => key in options))]),
  )
}

const planOf = (paths: readonly string[], options: IngestOptions): Plan => {
  const { table, uri, threads, flushEvery, commitEvery, maxErrors } = options
  const source = files({ include: paths, exclude: options.exclude ?? [], hidden: options.includeHidden ?? false })
  const sink = lance({ uri, table, index: options.index ?? [] })
  return filesPlan(
    { name: table, source, sink, normalize: mediaOptions(options) },
    {
      mode: options.mode,
      ...(flushEvery !== undefined && { flushEvery }),
      ...(commitEvery !== undefined && { commitEvery }),
      ...(maxErrors !== undefined && { errors: { max: maxErrors } }),
      ...(threads !== undefined && { workers: { threads } }),
    },
  )
}

export const ingestCommand = (paths: readonly string[], options: IngestOptions, env: Environment): Promise<number> =>
  runPlans(async () => [planOf(paths, options)], { ...options, env })
