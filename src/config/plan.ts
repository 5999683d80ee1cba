/** From a checked document to what the engine runs. */
import type { Plan } from "../engine/plan.ts"
import { FORMATS } from "../formats/index.ts"
import { ConfigError } from "../model/errors.ts"
import type { Component, ComponentValues } from "../model/fields.ts"
import type { SchemaMap } from "../model/types.ts"
import { filesPlan, formatPlan, planOf, type RunSettings, type TriggerOption } from "../pipeline.ts"
import type { ScheduleSpec } from "../schedule/schedule.ts"
import { withStages } from "../stages.ts"
import type { Plugin } from "./plugins.ts"
import { SINKS, SOURCES } from "./registry.ts"
import type { PipelineDocument } from "./schema.ts"
import { readStages } from "./stages.ts"

const make = <T, Extra>(components: readonly Component<T, Extra>[], values: ComponentValues, extra: Extra): T => {
  const found = components.find(({ type }) => type === values.type)
  if (!found) throw new Error(`the document's schema let through the type ${values.type}`)
  return found.make(values, extra)
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

/** The rows, before its stages. */
const rowsPlan = (document: PipelineDocument): { readonly plan: Plan; readonly columnTypes: SchemaMap | undefined } => {
  const { name, normalize } = document
  const sink = make(SINKS, document.sink, { index: [document.index ?? []].flat() })
  const settings = settingsOf(document)
  if (document.format) {
    const format = make(FORMATS, document.format, undefined)
    return { plan: formatPlan({ name, sink, format }, settings), columnTypes: format.columnTypes }
  }
  if (!document.source) throw new Error("the document's schema let through neither source nor format")
  const source = make(SOURCES, document.source, { schema: document.schema ?? {} })
  const known = (plan: Plan) => ({ plan, columnTypes: plan.feed.columnTypes })
  if ("items" in source) return known(filesPlan({ name, sink, source, ...(normalize && { normalize }) }, settings))
  if (normalize) {
    throw new ConfigError(`normalize: a source of type ${document.source.type} makes rows by itself; leave this out`)
  }
  return known(planOf({ name, sink, feed: source }, settings))
}

/**
 * The plan of a document. Nothing is opened or read yet.
 *
 * @param plugins those that the document lists, loaded.
 * @throws {ConfigError} when its parts contradict one another.
 */
export const toPlan = (document: PipelineDocument, plugins: readonly Plugin[]): Plan => {
  const { plan, columnTypes } = rowsPlan(document)
  const { stages } = readStages(document.stages ?? [], plugins)
  for (const { kind, name, columns } of stages) {
    const column = Object.keys(document.schema ?? {}).find((one) => columns.has(one))
    if (column === undefined) continue
    throw new ConfigError(`schema.${column}: ${kind} ${JSON.stringify(name)} gives this column; say its type there`)
  }
  return withStages(plan, stages, columnTypes)
}

/** When the document is to be run; undefined where it does not say. */
export const toSchedule = ({ schedule }: PipelineDocument): ScheduleSpec | undefined => {
  if (!schedule) return undefined
  const { catch_up: catchUp, ...rest } = schedule
  return { ...rest, catchUp }
}
