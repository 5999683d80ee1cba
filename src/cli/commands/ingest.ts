/** `sluice ingest PATH... --table T` */
import type { WriteMode } from "../../engine/plan.ts"
import { NORMALIZERS } from "../../normalizers/index.ts"
import { filesPlan, type MediaOptions } from "../../pipeline.ts"
import { lance } from "../../sinks/lance.ts"
import { files } from "../../sources/files.ts"
import { runPlan } from "../running.ts"

interface MediaFlags {
  readonly chunkSize?: number
  readonly chunkOverlap?: number
  readonly dpi?: number
  readonly segment?: string
  readonly thumbnails: boolean
}

interface IngestOptions extends MediaFlags {
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
  readonly json?: boolean
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

export const ingestCommand = async (paths: readonly string[], options: IngestOptions): Promise<number> => {
  const { table, uri, threads, flushEvery, commitEvery, maxErrors } = options
  const source = files({ include: paths, exclude: options.exclude ?? [], hidden: options.includeHidden ?? false })
  const sink = lance({ uri, table, index: options.index ?? [] })
  const plan = filesPlan(
    { name: table, source, sink, normalize: mediaOptions(options) },
    {
      mode: options.mode,
      ...(flushEvery !== undefined && { flushEvery }),
      ...(commitEvery !== undefined && { commitEvery }),
      ...(maxErrors !== undefined && { errors: { max: maxErrors } }),
      ...(threads !== undefined && { workers: { threads } }),
    },
  )
  return runPlan(plan, { json: options.json ?? false })
}
