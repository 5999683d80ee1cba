/** From a checked document to what the engine runs. */
import type { Plan } from "../engine/plan.ts"
import { ConfigError, ManagedServiceError } from "../model/errors.ts"
import type { Fields } from "../model/fields.ts"
import type { Sink } from "../model/sink.ts"
import { suggest } from "../model/suggest.ts"
import type { SchemaMap } from "../model/types.ts"
import { filesFeed, formatPlan, planOf, type RunSettings, type TriggerOption } from "../pipeline.ts"
import type { ScheduleSpec } from "../schedule/schedule.ts"
import { withStages } from "../stages.ts"
import type { Plugin } from "./plugins.ts"
import { keyOf } from "./problems.ts"
import type { Registry } from "./registry.ts"
import type { PipelineDocument } from "./schema.ts"
import { type Mocks, readStages } from "./stages.ts"

const find = <C extends { readonly type: string }>(components: readonly C[], type: string): C => {
  const found = components.find((component) => component.type === type)
  if (!found) throw new Error(`the document's schema let through the type ${type}`)
  return found
}

/** What a component is made into; what is wrong with its values is said of the key that they stand under. */
const made = <T>(part: "source" | "format" | "sink", fields: Fields, make: () => T): T => {
  try {
    return make()
  } catch (error) {
    if (!(error instanceof ManagedServiceError)) throw error
    const [key] = keyOf(error.message)
    const isKey = typeof key === "string" && Object.hasOwn(fields, key)
    throw new ConfigError(`${part}${isKey ? "." : ": "}${error.message}`, { cause: error })
  }
}

const makeSink = ({ sinks }: Registry, { sink, index: given = [] }: PipelineDocument): Sink => {
  const component = find(sinks, sink.type)
  const index = [given].flat()
  if (index.length > 0 && !component.indexes) {
    throw new ConfigError(`index: a sink of type "${sink.type}" has no indexes; leave "index" out`)
  }
  return made("sink", component.fields, () => component.make(sink, { index }))
}

/** A number of rows may be text: that is what a variable stands for. */
const triggerOf = (given: NonNullable<PipelineDocument["flush_every"]>): TriggerOption =>
  typeof given === "string" ? Number(given) : given

const settingsOf = (document: PipelineDocument): RunSettings => {
  const { errors } = document
  return {
    mode: document.sink.mode,
    ...(document.sink.max_delete_ratio !== undefined && { maxDeleteRatio: document.sink.max_delete_ratio }),
    ...(document.contract && { contract: document.contract }),
    ...(document.schema && { schema: document.schema }),
    ...(document.flush_every !== undefined && { flushEvery: triggerOf(document.flush_every) }),
    ...(document.commit_every !== undefined && { commitEvery: triggerOf(document.commit_every) }),
    ...(errors && {
      errors: {
        ...(errors.max !== undefined && { max: errors.max }),
        ...(errors.max_ratio !== undefined && { maxRatio: errors.max_ratio }),
      },
    }),
    ...(document.workers && { workers: document.workers }),
    ...(document.max_item_bytes !== undefined && { maxItemBytes: document.max_item_bytes }),
    ...(document.shutdown_timeout !== undefined && { shutdownTimeout: document.shutdown_timeout }),
  }
}

interface RowsPlan {
  readonly plan: Plan
  /** The columns of its rows, where they are known. */
  readonly columnTypes: SchemaMap | undefined
}

/** The plan, without stages. */
const rowsPlan = (document: PipelineDocument, registry: Registry): RowsPlan => {
  const { name, normalize } = document
  const sink = makeSink(registry, document)
  const settings = settingsOf(document)
  if (document.format) {
    const values = document.format
    const component = find(registry.formats, values.type)
    const format = made("format", component.fields, () => component.make(values))
    return { plan: formatPlan({ name, sink, format }, settings), columnTypes: format.columnTypes }
  }
  if (!document.source) throw new Error("the document's schema let through neither source nor format")
  const values = document.source
  const component = find(registry.sources, values.type)
  const source = made("source", component.fields, () => component.make(values, { schema: document.schema ?? {} }))
  if ("items" in source) {
    const feed = filesFeed(source, normalize, registry.normalizers)
    return { plan: planOf({ name, sink, feed }, settings), columnTypes: feed.columnTypes }
  }
  if (normalize) {
    throw new ConfigError(`normalize: a source of type ${document.source.type} makes rows by itself; leave this out`)
  }
  return { plan: planOf({ name, sink, feed: source }, settings), columnTypes: source.columnTypes }
}

/** @param known the columns that the rows have. */
const checkIndex = ({ index = [], schema = {} }: PipelineDocument, known: readonly string[]): void => {
  const columns = [...new Set([...known, ...Object.keys(schema)])]
  const missing = [index].flat().find((name) => !columns.includes(name))
  if (missing === undefined) return
  throw new ConfigError(`index: the rows have no column ${JSON.stringify(missing)}${suggest(missing, columns)}`)
}

/**
 * The plan of a document. Nothing is opened or read yet.
 *
 * @param plugins those that the document lists.
 * @throws {ConfigError} when its parts contradict one another.
 */
export const toPlan = (
  document: PipelineDocument,
  registry: Registry,
  plugins: readonly Plugin[],
  mocks: Mocks = {},
): Plan => {
  const { plan, columnTypes } = rowsPlan(document, registry)
  const { stages } = readStages(document.stages ?? [], plugins, mocks)
  for (const { kind, name, columns } of stages) {
    const column = Object.keys(document.schema ?? {}).find((one) => columns.has(one))
    if (column === undefined) continue
    throw new ConfigError(`schema.${column}: ${kind} ${JSON.stringify(name)} gives this column; say its type there`)
  }
  const given = stages.flatMap(({ columns }) => [...columns.keys()])
  if (columnTypes) checkIndex(document, [...Object.keys(columnTypes), ...given])
  return withStages(plan, stages, columnTypes)
}

/** When the document is to be run; undefined where it does not say. */
export const toSchedule = ({ schedule }: PipelineDocument): ScheduleSpec | undefined => {
  if (!schedule) return undefined
  const { catch_up: catchUp, ...rest } = schedule
  return { ...rest, catchUp }
}
