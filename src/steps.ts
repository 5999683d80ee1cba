/** The steps of a pipeline in code, and which comes after which: the compiler knows the columns at each of them. */
import type { Plan } from "./engine/plan.ts"
import type { Feed } from "./model/feed.ts"
import type { Format } from "./model/format.ts"
import type { Normalizer } from "./model/normalizer.ts"
import type { Needs, Sink } from "./model/sink.ts"
import type { Source } from "./model/source.ts"
import type { StageBatch, StageContext } from "./model/stage.ts"
import type { SchemaMap } from "./model/types.ts"
import type { ColumnsOf, Only, StageType, With } from "./model/value-types.ts"
import type { FileColumns, FileOptions } from "./normalizers/index.ts"
import type { RunSettings } from "./pipeline.ts"
import type { MapOptions, StageOptions, WorkerCode } from "./stages.ts"

/** A pipeline that has a name. Every call below gives a new one, and leaves the one that it is called on as it is. */
export interface NewPipeline {
  /** Files, listed by `files(...)` or a source of your own: {@link FilesPipeline.normalize} makes rows of them. */
  from(source: Source): FilesPipeline
  /** What makes rows by itself: `huggingface(...)`, `columns(...)`. */
  from<S extends SchemaMap = SchemaMap>(feed: Feed<S>): RowsPipeline<S>
  /**
   * A dataset layout. Where it says its columns (see {@link Format.columnTypes}), the compiler knows them; otherwise
   * stages may ask for any.
   */
  format<S extends SchemaMap = SchemaMap>(format: Format<S>): RowsPipeline<S>
}

export interface FilesPipeline {
  /**
   * Makes rows of files, on worker threads and in child processes. The rows of a medium have its columns; those of the
   * other media are null in them.
   *
   * @param normalizers media besides those that Sluice knows, made by `Normalizer.define`. They are asked first.
   * @throws {ConfigError} for a medium or an option that there is not, or a value that does not fit.
   */
  normalize<N extends Normalizer = never>(
    options?: FileOptions<N>,
    normalizers?: readonly N[],
  ): RowsPipeline<FileColumns<N>>
}

/** What is asked of a run, with types for columns that there are. */
export interface PipelineSettings<S extends SchemaMap> extends Omit<RunSettings, "schema"> {
  /** Column types that win over the ones that the rows come with; a `map` says its own. */
  readonly schema?: { readonly [Name in keyof S]?: string }
}

/** A pipeline that has rows; `S` are their columns and types, as far as the compiler knows them. */
export interface RowsPipeline<S extends SchemaMap> {
  /**
   * Adds columns, or puts others in their place; this is where a model is called. The function is given batches of rows,
   * and gives a value a row for each of `columns`. It runs on the main thread and may be asynchronous; what computes for
   * long belongs into a service, or into {@link RowsPipeline.mapInWorkers}.
   *
   * The name, the columns and `revision` are part of what items are told apart by: when they change, `sync` does all
   * items again. The function itself is not: raise `revision` when it gives something else.
   *
   * @throws {ConfigError} for a name that another stage has, and for what does not fit.
   * @example
   * ```ts
   * const plan = Pipeline.make("notes")
   *   .from(files({ include: "./notes" }))
   *   .normalize()
   *   .map("count", { words: "INT32" }, (batch) => ({
   *     words: batch.column("text").map((text) => text?.split(/\s+/).length),
   *   }))
   *   .to(lance({ uri: "./data", table: "notes" }))
   * ```
   */
  map<const M extends Readonly<Record<string, StageType>>, Given extends ColumnsOf<M>>(
    name: string,
    columns: M,
    map: (batch: StageBatch<S>, context: StageContext) => Only<Given, M> | Promise<Only<Given, M>>,
    options?: MapOptions,
  ): RowsPipeline<With<S, M>>
  /**
   * A `map` that runs in the workers, right after the rows are made: for what keeps a processor busy. A function cannot
   * be handed to a worker, so it is named, as an export of a module; the compiler does not compare it with `columns`. It
   * is called with rows of one item, as they come; an item that it throws at fails. Comes before `map` and `filter`.
   *
   * @throws {ConfigError} for a name that another stage has, and for what does not fit.
   * @example
   * ```ts
   * const plan = Pipeline.make("photos")
   *   .from(files({ include: "./photos" }))
   *   .normalize()
   *   .mapInWorkers("hash", { phash: "INT64" }, { module: new URL("./phash.ts", import.meta.url), export: "phash" })
   *   .to(lance({ uri: "./data", table: "photos" }))
   * ```
   */
  mapInWorkers<const M extends Readonly<Record<string, StageType>>>(
    name: string,
    columns: M,
    code: WorkerCode,
    options?: StageOptions,
  ): RowsPipeline<With<S, M>>
  /**
   * Leaves rows out. The function is given batches of rows, and says for each row whether it stays. Name and `revision`
   * count as those of a {@link RowsPipeline.map}.
   *
   * @throws {ConfigError} for a name that another stage has, and for what does not fit.
   * @example
   * ```ts
   * const plan = Pipeline.make("notes")
   *   .from(files({ include: "./notes" }))
   *   .normalize()
   *   .filter("long", (batch) => batch.column("text").map((text) => (text?.length ?? 0) > 100))
   *   .to(lance({ uri: "./data", table: "notes" }))
   * ```
   */
  filter(
    name: string,
    keep: (batch: StageBatch<S>) => ArrayLike<boolean> | Promise<ArrayLike<boolean>>,
    options?: StageOptions,
  ): RowsPipeline<S>
  /**
   * The plan for `run` and `start`. Nothing has been opened or read yet.
   *
   * @throws {ConfigError} when settings contradict one another, or name columns that there are not.
   */
  to(sink: Sink & Partial<Needs<keyof S & string>>, settings?: PipelineSettings<S>): Plan
}
