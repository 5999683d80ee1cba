/** Puts the parts together: a pipeline's description becomes a plan, and a plan is run. */
import { randomUUID } from "node:crypto"
import { availableParallelism } from "node:os"
import { processMemory } from "./engine/memory.ts"
import type { Contract, Plan, Trigger, WriteMode } from "./engine/plan.ts"
import { execute } from "./engine/run.ts"
import { plainFeed } from "./formats/plain.ts"
import { ConfigError } from "./model/errors.ts"
import type { Progress, RunEvent, Summary } from "./model/events.ts"
import { type Feed, type Route, recipeOf } from "./model/feed.ts"
import { type Format, isItemFormat } from "./model/format.ts"
import type { Item, Plain } from "./model/item.ts"
import type { Normalizer } from "./model/normalizer.ts"
import { readOptions } from "./model/options.ts"
import { readSchema } from "./model/schema.ts"
import type { Sink } from "./model/sink.ts"
import type { Source } from "./model/source.ts"
import type { RowStage } from "./model/stage.ts"
import type { SchemaMap } from "./model/types.ts"
import { NORMALIZERS } from "./normalizers/index.ts"
import { byExtension } from "./normalizers/route.ts"
import { columns } from "./sources/columns.ts"

/** Rows, or the first of several: `period` is in milliseconds and counts from the first buffered row. */
export type TriggerOption = number | { readonly rows?: number; readonly bytes?: number; readonly period?: number }

/** How a run goes on; every field has a default. */
export interface RunSettings {
  /** Default `append`. */
  readonly mode?: WriteMode
  /** What happens to rows that do not fit the table. Default `evolve`: columns that it lacks are added. */
  readonly contract?: Contract
  /** `sync` removes no more than this share of the items, from 0 to 1; where more have vanished, none. Default 0.2. */
  readonly maxDeleteRatio?: number
  /** When buffered rows become one record batch. Default 200 rows or 8 MiB. */
  readonly flushEvery?: TriggerOption
  /** When record batches become a new version of the table. Default 2,000 rows or 48 MiB. */
  readonly commitEvery?: TriggerOption
  /** Column types that win over the ones that the rows come with. */
  readonly schema?: SchemaMap
  /** New failures that a run bears: a number (default 100), a share of the items that were tried (default 1), or both. */
  readonly errors?: { readonly max?: number; readonly maxRatio?: number }
  /**
   * Threads (default: processors, at most 4); milliseconds without progress that cost an item (default 60,000); and
   * bytes of memory that do, of items that are done in a child process, such as videos (default: a quarter of what the
   * machine, or the container, has).
   */
  readonly workers?: { readonly threads?: number; readonly timeout?: number; readonly memory?: number }
  /** Bytes that one item may take in memory; videos are streamed. Default 256 MiB. */
  readonly maxItemBytes?: number
  /**
   * What is done with items that are known to have failed at the same version: they are left alone (`skip`, the
   * default), tried again with all others (`retry`), or nothing else is tried (`only`).
   */
  readonly failed?: "skip" | "retry" | "only"
  /** Milliseconds that a drain waits for items in flight. Default 30,000. */
  readonly shutdownTimeout?: number
}

const FLUSH: Trigger = { rows: 200, bytes: 8 << 20, period: Infinity }
const COMMIT: Trigger = { rows: 2000, bytes: 48 << 20, period: Infinity }
const MAX_THREADS = 4

const readTrigger = (name: string, option: TriggerOption | undefined, defaults: Trigger): Trigger => {
  const given = typeof option === "number" ? { rows: option } : (option ?? {})
  for (const [key, value] of Object.entries(given)) {
    if (typeof value !== "number" || !(value >= 1)) {
      throw new ConfigError(`${name}.${key}: expected a number of at least 1, found ${JSON.stringify(value)}`)
    }
  }
  return { ...defaults, ...given }
}

const readTriggers = (settings: RunSettings): { readonly flush: Trigger; readonly commit: Trigger } => {
  const commit = readTrigger("commit_every", settings.commitEvery, COMMIT)
  // A small commit_every alone is meant as it is said; only a flush_every beyond it is a contradiction.
  const flush = readTrigger("flush_every", settings.flushEvery, { ...FLUSH, rows: Math.min(FLUSH.rows, commit.rows) })
  if (commit.rows < flush.rows) {
    throw new ConfigError(
      `commit_every (${commit.rows} rows) is smaller than flush_every (${flush.rows} rows): a commit is made of whole flushes. Raise commit_every or lower flush_every`,
    )
  }
  return { flush, commit }
}

export interface PlanParts {
  readonly name: string
  readonly feed: Feed
  /** Default: none. */
  readonly stages?: readonly RowStage[]
  readonly sink: Sink
}

/**
 * A plan of the given parts, with defaults.
 *
 * @throws {ConfigError} when settings contradict one another or name no type.
 */
export const planOf = (parts: PlanParts, settings: RunSettings = {}): Plan => ({
  stages: [],
  ...parts,
  mode: settings.mode ?? "append",
  contract: settings.contract ?? "evolve",
  maxDeleteRatio: settings.maxDeleteRatio ?? 0.2,
  schema: readSchema(settings.schema),
  ...readTriggers(settings),
  failed: settings.failed ?? "skip",
  errors: { max: settings.errors?.max ?? 100, maxRatio: settings.errors?.maxRatio ?? 1 },
  workers: {
    threads: settings.workers?.threads ?? Math.min(MAX_THREADS, availableParallelism()),
    timeout: settings.workers?.timeout ?? 60_000,
    memory: settings.workers?.memory ?? processMemory(),
  },
  maxItemBytes: settings.maxItemBytes ?? 256 << 20,
  shutdownTimeout: settings.shutdownTimeout ?? 30_000,
})

/** Options of each medium, by its name. */
export type MediaOptions = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The columns of a table of files. @throws {ConfigError} where two media have a column of one name and two types. */
const columnsOfAll = (normalizers: readonly Normalizer[]): SchemaMap => {
  const columns = new Map<string, { readonly type: string; readonly medium: string }>()
  for (const { name: medium, columns: own } of normalizers) {
    for (const [name, type] of Object.entries(own)) {
      const other = columns.get(name)
      if (other && other.type !== type) {
        throw new ConfigError(
          `normalize.${medium}: expected column ${JSON.stringify(name)} to be ${other.type}, as ${other.medium} has it, found ${type}: files of all media share a table`,
        )
      }
      columns.set(name, { type, medium })
    }
  }
  return Object.fromEntries([...columns].map(([name, { type }]) => [name, type]))
}

/**
 * Files as rows, each by its medium.
 *
 * @param normalizers the media that there are; a file goes to the first that takes it.
 * @throws {ConfigError} for a medium or an option that there is not, or a value that does not fit.
 */
export const filesFeed = (
  source: Source,
  given: MediaOptions = {},
  normalizers: readonly Normalizer[] = NORMALIZERS,
): Feed => {
  const unknown = Object.keys(given).find((name) => !normalizers.some((normalizer) => normalizer.name === name))
  if (unknown !== undefined) {
    throw new ConfigError(
      `normalize: unknown medium ${JSON.stringify(unknown)}; there are ${normalizers.map(({ name }) => name).join(", ")}`,
    )
  }
  const lost = normalizers.find((normalizer) => !NORMALIZERS.includes(normalizer) && normalizer.module === undefined)
  if (lost) {
    throw new ConfigError(
      `normalize: expected the normalizer ${lost.name} to say module: import.meta.url, from which workers load it; found nothing`,
    )
  }
  const media: Record<string, Readonly<Record<string, Plain>>> = {}
  const routes = new Map<Normalizer, Route>()
  for (const normalizer of normalizers) {
    const options = readOptions(`normalize.${normalizer.name}`, normalizer.options, given[normalizer.name])
    const conflict = normalizer.conflict?.(options)
    if (conflict !== undefined) throw new ConfigError(`normalize.${normalizer.name}.${conflict}`)
    media[normalizer.name] = options
    routes.set(normalizer, { lane: normalizer.lane, recipe: recipeOf(normalizer.name, normalizer.revision, options) })
  }
  const route = (item: Item): Route => {
    const normalizer = byExtension(item.uri, normalizers)
    return routes.get(normalizer) ?? { lane: normalizer.lane, recipe: "" }
  }
  const others = normalizers.flatMap(({ name, module }) => (module === undefined ? [] : [{ name, module }]))
  const code = { module: fileModule().href, name: "normalizeFile", options: { media, others } }
  return { source, code, route, columnTypes: columnsOfAll(normalizers) }
}

/** A plan that turns files into rows, each by its medium. */
export const filesPlan = (
  parts: { readonly name: string; readonly source: Source; readonly sink: Sink; readonly normalize?: MediaOptions },
  settings: RunSettings = {},
): Plan => {
  const { name, sink, source, normalize } = parts
  return planOf({ name, sink, feed: filesFeed(source, normalize) }, settings)
}

/**
 * A plan that reads a dataset layout.
 *
 * @example
 * ```ts
 * const format = new Coco({ imagesDir: "coco/val2017" })
 * await run(formatPlan({ name: "coco", format, sink: lance({ uri: "./data", table: "coco" }) }))
 * ```
 */
export const formatPlan = (
  parts: { readonly name: string; readonly format: Format; readonly sink: Sink },
  settings: RunSettings = {},
): Plan => {
  const { name, format, sink } = parts
  const types = readSchema(settings.schema)
  if (isItemFormat(format)) return planOf({ name, sink, feed: format.feed(types) }, settings)
  // What was wrong with a class may have been mended since: its only item is not given up for good.
  return planOf({ name, sink, feed: plainFeed(format, types) }, { failed: "retry", ...settings })
}

/** A plan that adds columns in memory; they are new in every run. */
export const columnsPlan = (
  parts: { readonly name: string; readonly sink: Sink; readonly data: Readonly<Record<string, ArrayLike<unknown>>> },
  settings: RunSettings = {},
): Plan => {
  const feed = columns(parts.data, settings.schema ? { schema: settings.schema } : {})
  return planOf({ name: parts.name, sink: parts.sink, feed }, settings)
}

/** The extension of a worker's module follows our own: .ts when run from source, .js when run from dist. */
const fileModule = (): URL =>
  new URL(`./normalizers/file${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

/** A run that goes on. Iterating it gives its events; it is no promise itself: await `result`. */
export interface RunHandle extends AsyncIterable<RunEvent> {
  readonly id: string
  /** The summary at the end; rejects with what stopped the run where that was no stop that was asked for. */
  readonly result: Promise<Summary>
  /** How far the run is; undefined before it has started. */
  stats(): Progress | undefined
  /** Stops the run: by default after finishing and committing what is in flight, else at the last commit. */
  cancel(options?: { readonly drain?: boolean }): void
}

/** An event stream that holds what nobody has read yet; a run has few events (commits, settled items). */
const eventQueue = () => {
  const waiting: ((event: IteratorResult<RunEvent>) => void)[] = []
  const events: RunEvent[] = []
  let ended = false
  let observed = false
  return {
    emit: (event: RunEvent): void => {
      const next = waiting.shift()
      if (next) next({ done: false, value: event })
      else if (observed) events.push(event)
    },
    end: (): void => {
      ended = true
      for (const next of waiting.splice(0)) next({ done: true, value: undefined })
    },
    iterate: (): AsyncIterator<RunEvent> => {
      observed = true
      return {
        next: () =>
          new Promise((resolve) => {
            const event = events.shift()
            if (event) resolve({ done: false, value: event })
            else if (ended) resolve({ done: true, value: undefined })
            else waiting.push(resolve)
          }),
      }
    },
  }
}

export interface StartOptions {
  /** Aborting it drains the run: what is in flight is finished and committed. */
  readonly signal?: AbortSignal
  /** Called with every event, before the run goes on. */
  readonly onEvent?: (event: RunEvent) => void
}

/** Starts a run. */
export const start = (plan: Plan, options: StartOptions = {}): RunHandle => {
  const id = randomUUID()
  const drain = new AbortController()
  const abort = new AbortController()
  const events = eventQueue()
  let progress: (() => Progress) | undefined
  const signals = options.signal ? [drain.signal, options.signal] : [drain.signal]
  const result = execute(plan, {
    run: id,
    drain: AbortSignal.any(signals),
    abort: abort.signal,
    emit: (event) => {
      options.onEvent?.(event)
      events.emit(event)
    },
    watch: (read) => {
      progress = read
    },
  }).finally(events.end)
  return {
    id,
    result,
    stats: () => progress?.(),
    cancel: (how = {}) => (how.drain === false ? abort : drain).abort(),
    [Symbol.asyncIterator]: events.iterate,
  }
}

/** Runs a plan to its end. */
export const run = (plan: Plan, options: StartOptions = {}): Promise<Summary> => start(plan, options).result
