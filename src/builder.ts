/** Pipelines in code: what they are made of is said step by step, checked at each, and becomes a plan. */
import type { Plan } from "./engine/plan.ts"
import { checkFormat } from "./formats/plain.ts"
import { describeValue } from "./model/describe.ts"
import { ConfigError } from "./model/errors.ts"
import type { Feed } from "./model/feed.ts"
import type { Format } from "./model/format.ts"
import type { Normalizer } from "./model/normalizer.ts"
import { snakeCase } from "./model/options.ts"
import type { Needs, Sink } from "./model/sink.ts"
import type { Source } from "./model/source.ts"
import type { FilterStage, MapStage } from "./model/stage.ts"
import type { SchemaMap } from "./model/types.ts"
import { type FileOptions, NORMALIZERS } from "./normalizers/index.ts"
import { filesFeed, formatPlan, type MediaOptions, planOf, type RunSettings } from "./pipeline.ts"
import {
  type Described,
  filterStage,
  type MapOptions,
  mapStage,
  type StageOptions,
  type WorkerCode,
  withStages,
  workerStage,
} from "./stages.ts"
import type { FilesPipeline, NewPipeline, RowsPipeline } from "./steps.ts"

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
  "Pipeline.make(name), then .from(source).normalize() for files, or .from(feed) or .format(format) for what makes rows by itself, then any of .mapInWorkers, then any of .map and .filter, then .to(sink)"

const isSource = (given: Source | Feed): given is Source =>
  typeof (given as Partial<Source> | null)?.items === "function"

const isFeed = (given: Source | Feed): given is Feed =>
  typeof (given as Partial<Feed> | null)?.route === "function" && typeof (given as Feed).source?.items === "function"

const quoted = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ")

/** Options under the names that they have in documents. */
const mediaOptions = (options: FileOptions): MediaOptions => {
  const isObject = (given: unknown): given is object => typeof given === "object" && given !== null
  const media = isObject(options) ? Object.entries<unknown>(options) : [["", options] as const]
  return Object.fromEntries(
    media.map(([medium, given]) => {
      if (isObject(given)) {
        return [medium, Object.fromEntries(Object.entries(given).map(([name, value]) => [snakeCase(name), value]))]
      }
      throw new ConfigError(
        `normalize: expected options of media, as in { text: { chunkSize: 500 } }, found ${describeValue(given)}${medium && ` for ${medium}`}`,
      )
    }),
  )
}

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

  normalize(options: FileOptions = {}, normalizers: readonly Normalizer[] = []): Builder {
    const { origin } = this.#parts
    if (!origin || !("source" in origin)) {
      const found = origin ? "what makes rows by itself; leave .normalize() out" : "nothing before it"
      throw this.#wrong("normalize", `expected .from(source) before it, found ${found}`)
    }
    const feed = filesFeed(origin.source, mediaOptions(options), [...normalizers, ...NORMALIZERS])
    return this.#with({ origin: { feed }, ...columnsOf(feed.columnTypes) })
  }

  map(name: string, columns: SchemaMap, map: MapStage["map"], options?: MapOptions): Builder {
    this.#rows("map")
    return this.#add(mapStage(name, columns, map, options))
  }

  mapInWorkers(name: string, columns: SchemaMap, code: WorkerCode, options?: StageOptions): Builder {
    this.#rows("mapInWorkers")
    const before = this.#parts.stages.find(({ kind }) => kind !== "mapInWorkers")
    if (before) {
      throw this.#wrong(
        "mapInWorkers",
        `expected to come before .map and .filter, found it after ${before.kind} ${JSON.stringify(before.name)}`,
      )
    }
    return this.#add(workerStage(name, columns, code, options))
  }

  filter(name: string, keep: FilterStage["keep"], options?: StageOptions): Builder {
    this.#rows("filter")
    return this.#add(filterStage(name, keep, options))
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
    return withStages(plan, stages, types)
  }

  #with(parts: Partial<Parts>): Builder {
    return new Builder({ ...this.#parts, ...parts })
  }

  #add(stage: Described): Builder {
    const { stages, columns } = this.#parts
    if (stages.some(({ name }) => name === stage.name)) {
      throw new ConfigError(
        `${stage.kind} ${JSON.stringify(stage.name)}: expected a name that no other stage has, found it a second time`,
      )
    }
    return this.#with({
      stages: [...stages, stage],
      ...(columns && { columns: [...columns, ...stage.columns.keys()] }),
    })
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
        `${who} ${quoted(missing)}, which the rows do not have: they have ${quoted([...new Set(columns)])}. Mend the name, or add the column with .map(...)`,
      )
    }
  }

  #checkTypes(schema: SchemaMap): void {
    for (const { kind, name, columns } of this.#parts.stages) {
      const column = Object.keys(schema).find((one) => columns.has(one))
      if (column === undefined) continue
      throw new ConfigError(
        `to: schema names ${JSON.stringify(column)}, which ${kind} ${JSON.stringify(name)} gives; say its type there`,
      )
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
