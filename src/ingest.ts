/** What `client.ingest` is given, as a plan. */
import type { Plan } from "./engine/plan.ts"
import { describeValue } from "./model/describe.ts"
import { ConfigError, IngestError } from "./model/errors.ts"
import type { Summary } from "./model/events.ts"
import type { Feed } from "./model/feed.ts"
import type { Format } from "./model/format.ts"
import type { Sink } from "./model/sink.ts"
import type { SchemaMap } from "./model/types.ts"
import { columnsPlan, filesPlan, formatPlan, planOf, type RunSettings } from "./pipeline.ts"
import { files } from "./sources/files.ts"
import { type HuggingFaceOptions, huggingface } from "./sources/huggingface.ts"

export interface IngestOptions extends Pick<RunSettings, "mode" | "flushEvery" | "commitEvery" | "errors" | "workers"> {
  /** Column types, which win over inference; the directive `FILE` says that a column holds paths of files to read. */
  readonly schema?: SchemaMap
  /** A dataset layout: a built-in one such as `Coco`, or a class of your own. */
  readonly format?: Format
  /** Columns that get the index of their type after the last commit, as `createIndex` makes it: TEXT one for BM25. */
  readonly index?: readonly string[]
  /** Called after each commit. `total` is 0 while it is not known: files become rows only as they are read. */
  readonly onProgress?: (rowsWritten: number, total: number) => void
  /** Characters of a text chunk. Default 1000. */
  readonly chunkSize?: number
  /** Characters that neighbouring chunks share. Default 200. */
  readonly chunkOverlap?: number
  /** Resolution of rendered PDF pages. Default 150. */
  readonly pdfDpi?: number
  /** Aborting it drains: what is in flight is finished and committed. */
  readonly signal?: AbortSignal
}

export interface IngestResult {
  readonly tableName: string
  /** Rows that this call has written. */
  readonly rowCount: number
  readonly datasetPath: string
  readonly summary: Summary
}

/** Columns by name, all of one length. */
export type ColumnData = Readonly<Record<string, ArrayLike<unknown>>>

/** A dataset of the Hugging Face Hub, by its name or with options. */
export interface HuggingFaceData {
  readonly _huggingface: string | HuggingFaceOptions
}

const isHuggingFace = (data: ColumnData | HuggingFaceData): data is HuggingFaceData =>
  Object.hasOwn(data, "_huggingface")

/** @throws {ConfigError} when there is more than the dataset's name, or the name is none. */
const huggingFaceFeed = (data: HuggingFaceData, schema: SchemaMap): Feed => {
  const { _huggingface: given, ...others } = data
  const [other] = Object.keys(others)
  if (other !== undefined) {
    throw new ConfigError(`_huggingface stands alone: expected no columns beside it, found ${JSON.stringify(other)}`)
  }
  if (typeof given !== "string" && (typeof given !== "object" || given === null || Array.isArray(given))) {
    throw new ConfigError(
      `_huggingface: expected the name of a dataset or { repo, ... }, found ${describeValue(given)}`,
    )
  }
  return huggingface({ schema, ...(typeof given === "string" ? { repo: given } : given) })
}

/** The column of file paths, where the schema names one. */
const fileColumn = (data: ColumnData, schema: SchemaMap): string | undefined => {
  const named = Object.keys(schema).filter((name) => schema[name]?.toUpperCase() === "FILE")
  const [name, second] = named
  if (name === undefined) return undefined
  const others = Object.keys(data).filter((column) => column !== name)
  if (second !== undefined || others.length > 0) {
    throw new ConfigError(
      `A FILE column stands alone: expected only ${JSON.stringify(name)} in data, found ${JSON.stringify(second ?? others[0])} too`,
    )
  }
  if (!Object.hasOwn(data, name))
    throw new ConfigError(`schema names the FILE column ${JSON.stringify(name)}, which data lacks`)
  return name
}

const pathsOf = (name: string, values: ArrayLike<unknown>): string[] =>
  Array.from(values, (value, row) => {
    if (typeof value === "string") return value
    throw new IngestError(
      `Column ${JSON.stringify(name)}, row ${row}: expected the path of a file, found ${typeof value}`,
    )
  })

interface Target {
  readonly name: string
  readonly sink: Sink
}

/** The plan of a call, and how many rows it will make where that is known (else 0). */
export const planFor = (
  target: Target,
  data: ColumnData | HuggingFaceData | null,
  options: IngestOptions,
): { readonly plan: Plan; readonly rows: number } => {
  const { format, schema = {} } = options
  if (format) return { plan: formatPlan({ ...target, format }, options), rows: 0 }
  if (data === null || data === undefined) {
    throw new IngestError("data must not be empty: give columns, file paths or a format")
  }
  if (typeof data !== "object" || Array.isArray(data)) throw new IngestError("data must be a dict of columns")
  if (isHuggingFace(data)) return { plan: planOf({ ...target, feed: huggingFaceFeed(data, schema) }, options), rows: 0 }
  const name = fileColumn(data, schema)
  if (name === undefined) {
    return { plan: columnsPlan({ ...target, data }, options), rows: Object.values(data)[0]?.length ?? 0 }
  }
  const source = files({ include: pathsOf(name, data[name] ?? []) })
  return { plan: filesPlan({ ...target, source, normalize: media(options) }, options), rows: 0 }
}

const media = ({ chunkSize, chunkOverlap, pdfDpi }: IngestOptions) => ({
  text: {
    ...(chunkSize !== undefined && { chunk_size: chunkSize }),
    ...(chunkOverlap !== undefined && { chunk_overlap: chunkOverlap }),
  },
  pdf: pdfDpi === undefined ? {} : { dpi: pdfDpi },
})
