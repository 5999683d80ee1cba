/** The one-line way in: a client of one database. */
import { dropTable as dropOf, listTables as tablesOf } from "./dataset/catalog.ts"
import { ConfigError, IngestError } from "./model/errors.ts"
import type { Summary } from "./model/events.ts"
import type { SchemaMap } from "./model/types.ts"
import { columnsPlan, filesPlan, type RunSettings, run, type StartOptions } from "./pipeline.ts"
import { lance } from "./sinks/lance.ts"
import { files } from "./sources/files.ts"

export interface ClientOptions {
  /** Folder of the database; made when it is not there. Default `./data`. */
  readonly uri?: string
}

export interface IngestOptions extends Pick<RunSettings, "mode" | "flushEvery" | "commitEvery" | "errors" | "workers"> {
  /** Column types, which win over inference; the directive `FILE` says that a column holds paths of files to read. */
  readonly schema?: SchemaMap
  /** TEXT columns that get a full-text index after the last commit. */
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
  if (!(name in data)) throw new ConfigError(`schema names the FILE column ${JSON.stringify(name)}, which data lacks`)
  return name
}

const pathsOf = (name: string, values: ArrayLike<unknown>): string[] =>
  Array.from(values, (value, row) => {
    if (typeof value === "string") return value
    throw new IngestError(
      `Column ${JSON.stringify(name)}, row ${row}: expected the path of a file, found ${typeof value}`,
    )
  })

/**
 * Ingests into and manages the tables of one database.
 *
 * @example
 * ```ts
 * const client = new Client({ uri: "./data" })
 * await client.ingest("docs", { path: ["a.pdf", "b.mp4"] }, { schema: { path: "FILE" }, index: ["text"] })
 * await client.ingest("points", { x: new Float64Array([0.5, 1]), label: ["a", "b"] })
 * ```
 */
export class Client implements AsyncDisposable {
  readonly uri: string

  constructor(options: ClientOptions = {}) {
    this.uri = options.uri ?? "./data"
  }

  /**
   * Adds files or columns to a table, which is made when it is not there. Files that are in it already are skipped, so
   * that a call that was killed is simply made again; columns are new in every call.
   *
   * @throws {IngestError} when data is missing or malformed, or when more items fail than `errors` allows (then the
   * good ones are committed).
   * @throws {TableError} when another process writes to the table.
   * @throws {ConfigError} when options contradict one another.
   */
  async ingest(tableName: string, data: ColumnData | null, options: IngestOptions = {}): Promise<IngestResult> {
    if (data === null || data === undefined) throw new IngestError("data must not be empty: give columns or file paths")
    if (typeof data !== "object" || Array.isArray(data)) throw new IngestError("data must be a dict of columns")
    const { schema = {}, index = [] } = options
    const sink = lance({ uri: this.uri, table: tableName, index })
    const name = fileColumn(data, schema)
    const plan =
      name === undefined
        ? columnsPlan({ name: tableName, sink, data }, options)
        : filesPlan(
            {
              name: tableName,
              sink,
              source: files({ include: pathsOf(name, data[name] ?? []) }),
              normalize: media(options),
            },
            options,
          )
    const total = name === undefined ? (Object.values(data)[0]?.length ?? 0) : 0
    const start: StartOptions = {
      ...(options.signal && { signal: options.signal }),
      onEvent: (event) => {
        if (event.type === "committed") options.onProgress?.(event.rows, total)
      },
    }
    const summary = await run(plan, start)
    if (summary.ending === "too-many-failures") {
      throw new IngestError(
        `${summary.items.failed} of ${summary.items.listed} items failed, more than allowed; the good ones are committed. See the table ${tableName}__items`,
      )
    }
    return { tableName, rowCount: summary.rows, datasetPath: `${this.uri}/${tableName}`, summary }
  }

  /** Names of the tables, sorted. */
  listTables(): Promise<string[]> {
    return tablesOf(this.uri)
  }

  /**
   * Drops a table with its side tables.
   *
   * @throws {TableError} when it does not exist and `ifExists` is false, or when it is being written.
   */
  dropTable(name: string, ifExists = true): Promise<void> {
    return dropOf(this.uri, name, ifExists)
  }

  /** Nothing is held open between calls; this is here so that a client can be closed like any other. */
  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

const media = ({ chunkSize, chunkOverlap, pdfDpi }: IngestOptions) => ({
  text: {
    ...(chunkSize !== undefined && { chunk_size: chunkSize }),
    ...(chunkOverlap !== undefined && { chunk_overlap: chunkOverlap }),
  },
  pdf: pdfDpi === undefined ? {} : { dpi: pdfDpi },
})
