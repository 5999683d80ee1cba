/** The contract of a sink: where commits go. */
import type { Batch } from "./batch.ts"
import { type Component, define, type Fields, type Spec } from "./fields.ts"
import type { RunRecord } from "./run.ts"
import type { Schema } from "./types.ts"

/** Which rows: all conditions hold together. */
export interface RowFilter {
  /** Rows with `_end`. */
  readonly end?: true
  /** Rows of exactly this commit. */
  readonly commit?: number
  /** Rows of later commits than this. */
  readonly after?: number
  /** Rows of earlier commits than this. */
  readonly before?: number
  /** Rows of these items (in any version, or in the given one). */
  readonly items?: readonly { readonly item: string; readonly version?: string }[]
  /** Not the rows of these items in these versions. */
  readonly except?: readonly { readonly item: string; readonly version: string }[]
}

/** A version of the stored table, counted by the store. */
export type Version = number

/**
 * Reads one table, as far as it is committed: what {@link Sink} gives for looking at its table.
 *
 * @example
 * ```ts
 * const reader = await lance({ uri: "./data", table: "docs" }).view()
 * try {
 *   const thumbnails = await reader.side("thumbnails")
 *   for await (const batch of thumbnails.read(["file_id", "content"], { items: [{ item: "report.pdf" }] })) {
 *     console.log(`${batch.rows} thumbnails`)
 *   }
 * } finally {
 *   await reader.close()
 * }
 * ```
 */
export interface Reader {
  /** The columns that the table has now, with the hidden ones (`_item`, `_row`, ...); empty before its first commit. */
  readonly schema: Schema
  /** The table's version; 0 before its first commit. */
  readonly version: Version
  /** These columns of the committed rows, in the order in which the rows were written. All of them must be in the table. */
  read(columns: readonly string[], filter?: RowFilter): AsyncIterable<Batch>
  /** The highest `_commit` in the table (`last`), or the lowest (`first`); 0 when it is empty. Commits count from 1. */
  edge(side: "first" | "last"): Promise<number>
  /** The side table `<table>__<name>`, closed with this one; one that is not there is empty. */
  side(name: string): Promise<Reader>
  /** Names of the side tables that there are, such as `thumbnails` and `items`. */
  sides(): Promise<readonly string[]>
  /** Gives back what reading holds open. */
  close(): Promise<void>
}

/**
 * Writes one table. There is one writer a table; the engine calls it from one place, one call at a time, except that
 * `write` may be called while a `commit` runs: such rows belong to the next commit.
 */
export interface Writer extends Reader {
  /** What a person should know of how the table was found. */
  readonly notices?: readonly string[]
  /** Takes the rows of one flush. They are visible after the next `commit`, all of them or none. */
  write(batch: Batch): Promise<void>
  /** Makes everything written so far one new version. New columns are added to the table first, null in older rows. */
  commit(): Promise<Version>
  /** As `commit`, but the new version holds only these rows: the older ones stay reachable by version. */
  overwrite(): Promise<Version>
  /** Deletes committed rows. */
  remove(filter: RowFilter): Promise<void>
  side(name: string): Promise<Writer>
  /** Compacts small files where that pays; called between commits. */
  maintain(): Promise<void>
  /** Called after the last commit: builds the indexes that were asked for, or brings them up to date. */
  finish(): Promise<void>
  /** Writes what is known of a run, over what was written of it before. */
  logRun(run: RunRecord): Promise<void>
  /** Stops using the table and, on the main table, gives up the lock. Uncommitted rows are dropped. */
  close(): Promise<void>
}

export interface Sink {
  readonly name: string
  /** Where the table is, for messages and the summary. */
  readonly uri: string
  readonly table: string
  /** The local folder that the tables are in; a schedule keeps there what it has done. Without, it forgets at its end. */
  readonly folder?: string
  /**
   * Opens the table for writing and takes its lock.
   *
   * @throws {TableError} when another process holds the lock, or `create` is "new" and the table exists.
   */
  open(options: { readonly create: "new" | "if-missing" }): Promise<Writer>
  /** Opens the table to look at it: takes no lock and makes nothing. A table that is not there is empty. */
  view(): Promise<Reader>
}

/** What a sink may be besides: one that relies on columns of the rows. */
export interface Needs<Name extends string> {
  /** Columns that there have to be, as for an index: a pipeline that is known to lack one of them is refused. */
  readonly needs: readonly Name[]
}

/** What else of a document a sink is told. */
export interface SinkExtra {
  /** Columns that are to get an index; none where the sink has not said that it makes them. */
  readonly index: readonly string[]
}

export interface SinkComponent extends Component<"sink", Sink, SinkExtra> {
  /** Takes `index:`. */
  readonly indexes: boolean
}

export const Sink = {
  /**
   * Makes a sink known to pipeline documents, as a `type` under `sink:`. Export what it gives from the module that a
   * document names under `plugins:`. How rows are written (`mode`, `max_delete_ratio`) is the run's, and a field of
   * every sink already.
   *
   * @throws {ConfigError} for names that documents cannot have.
   * @example
   * ```ts
   * const database = new MemoryDatabase()
   *
   * export const shared = Sink.define({
   *   type: "shared",
   *   description: "A table in memory that all pipelines of this process share.",
   *   fields: { table: { type: "text", description: "Name of the table." } },
   *   make: ({ table }) => memory({ table, database }),
   * })
   * ```
   */
  define: <const F extends Fields>(spec: Spec<F, Sink, SinkExtra> & { readonly indexes?: boolean }): SinkComponent => ({
    ...define("sink", spec),
    indexes: spec.indexes ?? false,
  }),
}
