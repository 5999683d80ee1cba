/** Pipelines in code: what they are made of is said step by step, and the compiler knows the columns at each of them. */
import type { Plan } from "./engine/plan.ts"
import { checkFormat } from "./formats/plain.ts"
import { describeValue } from "./model/describe.ts"
import { ConfigError } from "./model/errors.ts"
import type { Feed } from "./model/feed.ts"
import type { Format } from "./model/format.ts"
import { snakeCase } from "./model/options.ts"
import type { Needs, Sink } from "./model/sink.ts"
import type { Source } from "./model/source.ts"
import type { FilterStage, MapStage, StageBatch, StageContext } from "./model/stage.ts"
import type { SchemaMap } from "./model/types.ts"
import type { ColumnsOf, Only, StageType, With } from "./model/value-types.ts"
import type { FileColumns, FileOptions } from "./normalizers/index.ts"
import { filesFeed, formatPlan, type MediaOptions, planOf, type RunSettings } from "./pipeline.ts"
import { type Described, filterStage, type MapOptions, mapStage, type StageOptions, stagedFeed } from "./stages.ts"

/** A pipeline that has a name. Every call below gives a new one, and leaves the one that it is called on as it is. */
export interface NewPipeline {
  /** Files, or items of your own: {@link FilesPipeline.normalize} makes rows of them. */
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
   * @throws {ConfigError} for a medium or an option that there is not, or a value that does not fit.
   */
  normalize(options?: FileOptions): RowsPipeline<FileColumns>
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
   * long belongs into a service or a worker of your own.
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

/** What rows are made of; `source` alone is not yet normalized. */
type Origin = { readonly source: Source } | { readonly feed: Feed } | { readonly format: Format }

interface Parts {
  readonly name: string
  readonly origin?: Origin
  readonly stages: readonly Described[]
  /** Names of the columns, where they are known. */
  readonly columns?: readonly string[]
}

const ORDER =
  "Pipeline.make(name), then .from(source).normalize() for files, or .from(feed) or .format(format) for what makes rows by itself, then any of .map and .filter, then .to(sink)"

const isSource = (given: Source | Feed): given is Source =>
  typeof (given as Partial<Source> | null)?.items === "function"

const isFeed = (given: Source | Feed): given is Feed =>
  typeof (given as Partial<Feed> | null)?.route === "function" && typeof (given as Feed).source?.items === "function"

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ")

/** All steps in one. Which of them come next, the interfaces say to the compiler, and the checks to everyone else. */
class Builder implements NewPipeline, FilesPipeline, RowsPipeline<SchemaMap> {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  from(given: Source): Builder
  from(given: Feed): Builder
  from(given: Source | Feed): Builder {
    this.#begin("from")
    if (isSource(given)) return this.#with({ origin: { source: given } })
    if (isFeed(given)) return this.#with({ origin: { feed: given }, ...columnsOf(given.columnTypes) })
    const format = typeof (given as unknown as Partial<Format> | null)?.normalize === "function"
    throw new ConfigError(
      `from: expected a source such as files({ include: "./docs" }), or a feed such as huggingface({ repo: "cifar10" }), found ${describeValue(given)}${format ? ". Give a format to .format(...)" : ""}`,
    )
  }

  format(format: Format): Builder {
    this.#begin("format")
    checkFormat(format)
    return this.#with({ origin: { format }, ...columnsOf(format.columnTypes) })
  }

  normalize(options: FileOptions = {}): Builder {
    const { origin } = this.#parts
    if (!origin || !("source" in origin)) {
      const found = origin ? "what makes rows by itself; leave .normalize() out" : "nothing before it"
      throw this.#wrong("normalize", `expected .from(source) before it, found ${found}`)
    }
    const media = Object.entries<object>(options).map(([medium, given]) => [
      medium,
      Object.fromEntries(Object.entries(given).map(([name, value]) => [snakeCase(name), value])),
    ])
    const feed = filesFeed(origin.source, Object.fromEntries(media) as MediaOptions)
    return this.#with({ origin: { feed }, ...columnsOf(feed.columnTypes) })
  }

  map(name: string, columns: SchemaMap, map: MapStage["map"], options?: MapOptions): Builder {
    this.#rows("map")
    const described = mapStage(name, columns, map, options)
    return this.#add(described, [...described.stage.columns.keys()])
  }

  filter(name: string, keep: FilterStage["keep"], options?: StageOptions): Builder {
    this.#rows("filter")
    return this.#add(filterStage(name, keep, options), [])
  }

  to(sink: Sink & Partial<Needs<string>>, settings: RunSettings = {}): Plan {
    const { name, stages } = this.#parts
    const origin = this.#rows("to")
    if (typeof sink?.open !== "function") {
      throw new ConfigError(
        `to: expected a sink such as lance({ uri: "./data", table: "docs" }), found ${describeValue(sink)}`,
      )
    }
    this.#checkThere(`to: ${sink.name} needs`, sink.needs ?? [])
    this.#checkThere("to: schema names", Object.keys(settings.schema ?? {}))
    this.#checkTypes(settings.schema ?? {})
    const plan =
      "format" in origin
        ? formatPlan({ name, sink, format: origin.format }, settings)
        : planOf({ name, sink, feed: origin.feed }, settings)
    const types = "format" in origin ? origin.format.columnTypes : origin.feed.columnTypes
    return { ...plan, feed: stagedFeed(plan.feed, stages, types), stages: stages.map(({ stage }) => stage) }
  }

  #with(parts: Partial<Parts>): Builder {
    return new Builder({ ...this.#parts, ...parts })
  }

  #add(stage: Described, columns: readonly string[]): Builder {
    const { stages, columns: known } = this.#parts
    const { name } = stage.stage
    if (stages.some((other) => other.stage.name === name)) {
      throw this.#wrong(
        stage.stage.kind,
        `expected a name that no other stage has, found ${JSON.stringify(name)} again`,
      )
    }
    return this.#with({ stages: [...stages, stage], ...(known && { columns: [...new Set([...known, ...columns])] }) })
  }

  #wrong(call: string, message: string): ConfigError {
    return new ConfigError(`Pipeline ${JSON.stringify(this.#parts.name)}: ${call}: ${message}. The order is ${ORDER}`)
  }

  /** Nothing gives rows yet. */
  #begin(call: string): void {
    if (this.#parts.origin)
      throw this.#wrong(call, "expected to come first, found that rows come from elsewhere already")
  }

  #rows(call: string): Exclude<Origin, { readonly source: Source }> {
    const { origin } = this.#parts
    if (!origin) throw this.#wrong(call, "expected .from(...) or .format(...) before it, found neither")
    if ("source" in origin)
      throw this.#wrong(call, "expected rows, found items of a source; call .normalize() before it")
    return origin
  }

  #checkThere(who: string, names: readonly string[]): void {
    const { columns } = this.#parts
    const missing = columns ? names.filter((name) => !columns.includes(name)) : []
    if (missing.length > 0) {
      throw new ConfigError(
        `${who} ${quoted(missing)}, which the rows do not have: they have ${quoted(columns ?? [])}. Mend the name, or add the column with .map(...)`,
      )
    }
  }

  #checkTypes(schema: SchemaMap): void {
    for (const { stage } of this.#parts.stages) {
      const name = stage.kind === "map" ? Object.keys(schema).find((column) => stage.columns.has(column)) : undefined
      if (name !== undefined) {
        throw new ConfigError(
          `to: schema names ${JSON.stringify(name)}, which map ${JSON.stringify(stage.name)} gives; say its type there`,
        )
      }
    }
  }
}

const columnsOf = (types: SchemaMap | undefined): Pick<Parts, "columns"> =>
  types ? { columns: Object.keys(types) } : {}

/**
 * Builds pipelines. A pipeline is a value: nothing runs until its plan is given to `run` or `start`, and one that is
 * half built can be the beginning of several.
 *
 * @example
 * ```ts
 * const plan = Pipeline.make("documents")
 *   .from(files({ include: "./docs" }))
 *   .normalize({ text: { chunkSize: 500, chunkOverlap: 50 } })
 *   .filter("written", (batch) => batch.column("text").map((text) => text !== null && text.trim() !== ""))
 *   .to(lance({ uri: "./data", table: "documents", index: ["text"] }), { mode: "sync" })
 * const summary = await run(plan, { signal: AbortSignal.timeout(60_000) })
 * ```
 */
export const Pipeline = {
  /** @throws {ConfigError} when the name is empty; runs are listed by it. */
  make: (name: string): NewPipeline => {
    if (typeof name !== "string" || name.trim() === "") {
      throw new ConfigError(`Pipeline.make: expected a name for the pipeline, found ${describeValue(name)}`)
    }
    return new Builder({ name, stages: [] })
  },
}
