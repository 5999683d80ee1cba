/** The one-line way in: a client of one database. */
import { dropTable as dropOf, listTables as tablesOf } from "./dataset/catalog.ts"
import { createIndex as createIndexOf } from "./dataset/indexes.ts"
import type { At } from "./dataset/open.ts"
import { type SearchOptions, type SearchRow, search as searchIn } from "./dataset/search.ts"
import { type TableQuery, tableQuery } from "./dataset/sql/builder.ts"
import type { QueryOptions } from "./dataset/sql/deadline.ts"
import type { Param } from "./dataset/sql/params.ts"
import type { QueryRow } from "./dataset/sql/query.ts"
import { collectRows, runStatement } from "./dataset/sql/run.ts"
import { type Dataset, type OpenOptions, openTable as openOf } from "./dataset/training/index.ts"
import {
  type BranchResult,
  branchTable,
  diffVersions,
  type ItemChange,
  listVersions,
  loadView,
  type RestoreOptions,
  type RestoreResult,
  restoreVersion,
  saveView,
  type TagOptions,
  tagVersion,
  type VersionInfo,
} from "./dataset/versions/index.ts"
import { defaultUri } from "./environment.ts"
import { type ColumnData, type HuggingFaceData, type IngestOptions, type IngestResult, planFor } from "./ingest.ts"
import { IngestError, WorkspaceError } from "./model/errors.ts"
import { run } from "./pipeline.ts"
import { lance } from "./sinks/lance.ts"
import type { IndexOptions, IndexResult } from "./store/indexes.ts"

export interface ClientOptions {
  /** Folder of the database; made when it is not there. Default: the environment's `SLUICE_URI`, or `./data`. */
  readonly uri?: string | undefined
}

/** What code for the SDK that Sluice re-creates gives to its client. There is no server here, and nobody to sign in to. */
export interface ManagedClientOptions extends ClientOptions {
  /** Counts for nothing. */
  readonly token?: string | undefined
  /** A folder of its own in that of `uri`, so that tables of two workspaces do not mix. `default` (default) is `uri` itself. */
  readonly workspaceId?: string | undefined
  /** Counts for nothing. */
  readonly apiUrl?: string | undefined
}

/**
 * Ingests into and manages the tables of one database.
 *
 * @example
 * ```ts
 * const client = new Client({ uri: "./data" })
 * await client.ingest("docs", { path: ["a.pdf", "b.mp4"] }, { schema: { path: "FILE" }, index: ["text"] })
 * await client.ingest("points", { x: new Float64Array([0.5, 1]), label: ["a", "b"] })
 * await client.ingest("cifar", { _huggingface: "cifar10" })
 * await client.ingest("coco", null, { format: new Coco({ imagesDir: "coco/val2017" }) })
 * ```
 */
export class Client implements AsyncDisposable {
  readonly uri: string

  constructor(options: ClientOptions = {}) {
    this.uri = options.uri ?? defaultUri()
  }

  /**
   * Adds files, columns or a dataset to a table, which is made when it is not there. Items that are in it already are
   * skipped, so that a call that was killed is simply made again; columns, and a format of your own without a `name`,
   * are new in every call. Where a `format` is given, `data` counts for nothing.
   *
   * @throws {IngestError} when data is missing, malformed or does not fit the table; when a format of your own throws or
   * yields what does not fit (naming batch, column and row; its rows are removed, or kept to go on after where it is
   * `resumable`); when all items fail, or more than `errors` allows (then the good ones are committed). Other items that
   * fail are in the `summary`, and in the table `<table>__items`.
   * @throws {TableError} when another process writes to the table.
   * @throws {ConfigError} when options contradict one another.
   */
  async ingest(
    tableName: string,
    data?: ColumnData | HuggingFaceData | null,
    options: IngestOptions = {},
  ): Promise<IngestResult> {
    const sink = lance({ uri: this.uri, table: tableName, index: options.index ?? [] })
    const { plan, rows, own } = planFor({ name: tableName, sink }, data, options)
    let refused: string | undefined
    const summary = await run(plan, {
      ...(options.signal && { signal: options.signal }),
      onEvent: (event) => {
        if (event.type === "committed") options.onProgress?.(event.rows, rows)
        if (event.type === "settled" && event.status === "failed") refused ??= event.message
      },
    })
    if (own && refused !== undefined) throw new IngestError(refused)
    const { listed, failed } = summary.items
    if (failed > 0 && failed === listed) {
      const why = refused ?? "it failed in an earlier call already"
      throw new IngestError(
        `Nothing came through: ${failed === 1 ? why : `all ${failed} items failed, such as the first: ${why}`}. See the table ${tableName}__items`,
      )
    }
    if (summary.ending === "too-many-failures") {
      throw new IngestError(
        `${summary.items.failed} of ${summary.items.listed} items failed, more than allowed; the good ones are committed. See the table ${tableName}__items`,
      )
    }
    return { tableName, rowCount: summary.rows, datasetPath: `${this.uri}/${tableName}.lance`, summary }
  }

  /**
   * Opens a table to train on it, at the version that it has now or at another one (`{ at: 12 }`, `{ at: "tag" }`). Close
   * it when it is no longer needed.
   *
   * @throws {TableError} when there is no such table, version or tag.
   */
  openTable(name: string, options: OpenOptions = {}): Promise<Dataset> {
    return openOf(this.uri, name, options)
  }

  /** The versions of a table, newest first: see {@link listVersions}. */
  versions(table: string): Promise<VersionInfo[]> {
    return listVersions(this.uri, table)
  }

  /** Names a version of a table, and keeps it: see {@link tagVersion}. */
  tag(table: string, tag: string, options: TagOptions = {}): Promise<number> {
    return tagVersion(this.uri, table, tag, options)
  }

  /** The items in which version `b` (default: of now) differs from `a`: see {@link diffVersions}. */
  diff(table: string, a: At, b?: At): AsyncGenerator<ItemChange> {
    return diffVersions(this.uri, table, a, b)
  }

  /** Makes a table that begins as another one is, or was at a version: see {@link branchTable}. */
  branch(table: string, branch: string, options: { readonly at?: At } = {}): Promise<BranchResult> {
    return branchTable(this.uri, table, branch, options)
  }

  /** Makes a table what it was at a version, as a new one: see {@link restoreVersion}. */
  restore(table: string, at: At, options: RestoreOptions = {}): Promise<RestoreResult> {
    return restoreVersion(this.uri, table, at, options)
  }

  /** Keeps a view by a name, with the rows that it has now: see {@link saveView}. */
  saveView(table: string, view: string, query: string): Promise<number> {
    return saveView(this.uri, table, view, query)
  }

  /** Opens a view that was kept; close it when it is no longer needed. */
  loadView(table: string, view: string): Promise<Dataset> {
    return loadView(this.uri, table, view)
  }

  /**
   * Asks the tables in SQL, PostgreSQL's: joins, aggregates, windows, WITH. Values stand for `$1`, `$2`, ... `*` means all
   * columns but the hidden ones (`_item`, ...), which can be named. Rows that a filter leaves out and columns that nothing
   * names are not read.
   *
   * | in the table | in a row |
   * |---|---|
   * | TEXT, JSON | string |
   * | INT32, FLOAT32, FLOAT64, CLASS_LABEL, BOOL | number, boolean |
   * | INT64, and what is computed of it | number where that is exact, else bigint |
   * | EMBEDDING, BOUNDING_BOX, POINT | Float32Array; of a MULTI_EMBEDDING, an array of them |
   * | BINARY, IMAGE, VIDEO, ... | Uint8Array |
   * | computed dates and times | string, ISO 8601; with a Z, in UTC, where there is a time zone |
   * | computed arrays and rows | arrays and objects |
   *
   * @throws {TableError} for what is wrong with the query, with line and column; "Query timed out".
   * @example
   * ```ts
   * const client = new Client()
   * const rows = await client.query<{ label: string; count: number }>(
   *   "SELECT label, count(*) FROM photos WHERE width > $1 GROUP BY label ORDER BY count DESC LIMIT 10",
   *   [640],
   * )
   * for (const { label, count } of rows) console.log(label, count)
   * ```
   */
  async query<Row = QueryRow>(
    sql: string,
    params?: readonly Param[] | null,
    options: QueryOptions = {},
  ): Promise<Row[]> {
    return (await collectRows(await runStatement(this.uri, sql, params, options))) as Row[]
  }

  /**
   * As {@link query}, with the rows some at a time, for results that are too large to be held at once.
   *
   * @example
   * ```ts
   * const client = new Client()
   * for await (const rows of client.stream("SELECT id, image FROM photos WHERE width > $1", [640])) {
   *   console.log(rows.length)
   * }
   * ```
   */
  async *stream<Row = QueryRow>(
    sql: string,
    params?: readonly Param[] | null,
    options: QueryOptions = {},
  ): AsyncGenerator<readonly Row[]> {
    yield* (await runStatement(this.uri, sql, params, options)).pages as AsyncGenerator<readonly Row[]>
  }

  /**
   * A query of one table, put together by calls: see {@link TableQuery}.
   *
   * @example
   * ```ts
   * const client = new Client()
   * const rows = await client.table("videos").select("id", "text").where("file_id = $1", "abc123").limit(10).execute()
   * ```
   */
  table<Row = QueryRow>(name: string): TableQuery<Row> {
    return tableQuery<Row>(name, async (sql, params, options) =>
      collectRows(await runStatement(this.uri, sql, params, options)),
    )
  }

  /** Names of the tables, sorted. */
  listTables(): Promise<string[]> {
    return tablesOf(this.uri)
  }

  /**
   * The rows of a table that fit words, a vector or both, the best first, each with its `_score`.
   *
   * @example
   * ```ts
   * await new Client().search("docs", { query: "neural networks", limit: 5 })
   * ```
   */
  search(tableName: string, options: SearchOptions): Promise<SearchRow[]> {
    return searchIn(this.uri, tableName, options)
  }

  /**
   * Makes the index that the column's type calls for; nothing where it is there and complete. Below 100,000 vectors an
   * EMBEDDING gets none, as it needs none.
   *
   * @throws {TableError} "Index creation failed", with the column and why.
   */
  createIndex(tableName: string, column: string, options?: IndexOptions): Promise<IndexResult> {
    return createIndexOf(this.uri, tableName, column, options)
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

/** @throws {WorkspaceError} for a name that is none, or no folder's. */
const workspaceUri = ({ uri = defaultUri(), workspaceId = "default" }: ManagedClientOptions): string => {
  if (workspaceId === "") throw new WorkspaceError("workspace ID is required: leave workspaceId out, or give it a name")
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(workspaceId) || workspaceId.endsWith(".lance")) {
    throw new WorkspaceError(
      `workspaceId: expected letters, digits, "_", "-" and "." (at most 128, not ".lance" at the end), found ${JSON.stringify(workspaceId)}`,
    )
  }
  return workspaceId === "default" ? uri : `${uri.replace(/\/+$/, "")}/${workspaceId}`
}

/**
 * The client under the name that the SDK which Sluice re-creates gives to it.
 *
 * @throws {WorkspaceError} for a `workspaceId` that cannot be a folder's name.
 */
export class ManagedClient extends Client {
  constructor(options: ManagedClientOptions = {}) {
    super({ uri: workspaceUri(options) })
  }
}

/** There is nothing to initialize; this is here for code that waits for it. */
export const initializeWasm = async (): Promise<void> => {}
