/** Stages as code describes them: checked, with their defaults, and as a part of what shapes the rows. */
import { type WorkerMap, withWorkerMap } from "./engine/map-in-worker.ts"
import type { Plan } from "./engine/plan.ts"
import { describeValue } from "./model/describe.ts"
import { ConfigError } from "./model/errors.ts"
import { type Feed, type Route, recipeOf } from "./model/feed.ts"
import type { Item, Plain } from "./model/item.ts"
import { checkColumnName } from "./model/rows.ts"
import type { FilterStage, MapStage, RowStage } from "./model/stage.ts"
import { type ColumnType, formatType, isOpen, parseType, type Schema, type SchemaMap } from "./model/types.ts"

export interface StageOptions {
  /** Raise it when the function gives something else for the same rows: nothing else tells. Default 1. */
  readonly revision?: number
}

export interface MapOptions extends StageOptions {
  /** Rows of a call; they can be of several items. Default 32. */
  readonly batch?: number
  /** Calls that are made at the same time. Default 1. */
  readonly concurrency?: number
  /** So often a call that fails is made again. Default 3. */
  readonly retries?: number
  /** Calls that are begun in a second, at most. Default: as many as there are. */
  readonly perSecond?: number
  /** Milliseconds that a call may take, before its signal is aborted. Default 60,000. */
  readonly timeout?: number
}

interface NumberSpec {
  readonly default: number
  readonly min: number
  readonly max?: number
  /** Fractions are allowed. */
  readonly fraction?: true
}

/** Timers count no further. */
const LONGEST = 2 ** 31 - 1

const STAGE_OPTIONS: Readonly<Record<keyof StageOptions, NumberSpec>> = { revision: { default: 1, min: 0 } }

const MAP_OPTIONS: Readonly<Record<keyof MapOptions, NumberSpec>> = {
  ...STAGE_OPTIONS,
  batch: { default: 32, min: 1 },
  concurrency: { default: 1, min: 1 },
  retries: { default: 3, min: 0 },
  perSecond: { default: Infinity, min: 0.001, max: Infinity, fraction: true },
  timeout: { default: 60_000, min: 1, max: LONGEST, fraction: true },
}

const numberOf = (place: string, spec: NumberSpec, value: unknown): number => {
  const { min, max = Number.MAX_SAFE_INTEGER, fraction = false } = spec
  if (typeof value === "number" && value >= min && value <= max && (fraction || Number.isInteger(value))) return value
  throw new ConfigError(
    `${place}: expected ${fraction ? "a number" : "a whole number"} of at least ${min}${max === LONGEST ? ` and at most ${max}` : ""}, found ${describeValue(value)}`,
  )
}

const readNumbers = <Name extends string>(
  place: string,
  specs: Readonly<Record<Name, NumberSpec>>,
  given: Readonly<Partial<Record<Name, unknown>>>,
): Readonly<Record<Name, number>> => {
  if (typeof given !== "object" || given === null) {
    throw new ConfigError(`${place}: expected options such as { revision: 2 }, found ${describeValue(given)}`)
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(specs, name))
  if (unknown !== undefined) {
    throw new ConfigError(
      `${place}: unknown option ${JSON.stringify(unknown)}; there are ${Object.keys(specs).join(", ")}`,
    )
  }
  const numbers = (Object.keys(specs) as Name[]).map((name) => {
    const { [name]: value = specs[name].default } = given
    return [name, numberOf(`${place}.${name}`, specs[name], value)]
  })
  return Object.fromEntries(numbers)
}

/** Where a worker finds the function of a map. */
export interface WorkerCode {
  /** URL of the module: `import.meta.url`, or `new URL("./caption.ts", import.meta.url)`. */
  readonly module: string | URL
  /** Name of the function among its exports. */
  readonly export: string
}

/** A stage, with what of it shapes rows. Its function does, too, and cannot be told from another: hence `revision`. */
export interface Described {
  readonly kind: "map" | "filter" | "mapInWorkers"
  readonly name: string
  /** The columns that it gives. */
  readonly columns: Schema
  readonly recipe: Plain
  readonly code: RowStage | WorkerMap
}

/** Where something is wrong: `map "embed"`. @throws {ConfigError} for a name that is none. */
const placeOf = (kind: Described["kind"], name: unknown): string => {
  if (typeof name === "string" && name.trim() !== "") return `${kind} ${JSON.stringify(name)}`
  throw new ConfigError(`${kind}: expected a name for the stage, found ${describeValue(name)}`)
}

const checkFunction = (place: string, code: unknown): void => {
  if (typeof code !== "function") {
    throw new ConfigError(`${place}: expected a function of a batch, found ${describeValue(code)}`)
  }
}

const checkCode = (place: string, code: unknown): void => {
  const { module, export: name } = Object(code ?? {}) as Partial<Record<keyof WorkerCode, unknown>>
  const isUrl = module instanceof URL || (typeof module === "string" && URL.canParse(module))
  if (isUrl && typeof name === "string" && name !== "") return
  const found = code !== null && typeof code === "object" ? JSON.stringify(code) : describeValue(code)
  throw new ConfigError(
    `${place}: expected the module's URL and the name of the function in it, as in { module: import.meta.url, export: "caption" }, found ${found}`,
  )
}

const readType = (place: string, column: string, text: unknown): ColumnType => {
  checkColumnName(column)
  if (typeof text !== "string") {
    throw new ConfigError(
      `${place}: column ${JSON.stringify(column)}: expected a column type such as "TEXT", found ${describeValue(text)}`,
    )
  }
  const type = parseType(text, column)
  if (isOpen(type) || type.size === 0) {
    throw new ConfigError(
      `${place}: column ${JSON.stringify(column)}: expected how many numbers a vector has, as in ${type.name}(384), found ${text}`,
    )
  }
  return type
}

const readTypes = (place: string, columns: SchemaMap): Schema => {
  const given: unknown = columns
  if (typeof given !== "object" || given === null || Array.isArray(given) || Object.keys(given).length === 0) {
    throw new ConfigError(
      `${place}: expected the columns that it gives, with their types, as in { label: "TEXT" }, found ${describeValue(given)}`,
    )
  }
  return new Map(Object.entries(columns).map(([column, text]) => [column, readType(place, column, text)]))
}

const recipeOfMap = (name: string, columns: Schema, revision: number): Plain => [
  "map",
  name,
  revision,
  [...columns].map(([column, type]) => [column, formatType(type)]),
]

/** @throws {ConfigError} for what does not fit, naming the stage. */
export const mapStage = (name: string, given: SchemaMap, map: MapStage["map"], options: MapOptions = {}): Described => {
  const place = placeOf("map", name)
  const columns = readTypes(place, given)
  checkFunction(place, map)
  const { revision, ...pace } = readNumbers(place, MAP_OPTIONS, options)
  const code: MapStage = { kind: "map", name, columns, map, ...pace }
  return { kind: "map", name, columns, recipe: recipeOfMap(name, columns, revision), code }
}

/** @throws {ConfigError} for what does not fit, naming the stage. */
export const filterStage = (name: string, keep: FilterStage["keep"], options: StageOptions = {}): Described => {
  const place = placeOf("filter", name)
  checkFunction(place, keep)
  const { revision } = readNumbers(place, STAGE_OPTIONS, options)
  const code: FilterStage = { kind: "filter", name, keep }
  return { kind: "filter", name, columns: new Map(), recipe: ["filter", name, revision], code }
}

/** @throws {ConfigError} for what does not fit, naming the stage. */
export const workerStage = (
  name: string,
  given: SchemaMap,
  where: WorkerCode,
  options: StageOptions = {},
): Described => {
  const place = placeOf("mapInWorkers", name)
  const columns = readTypes(place, given)
  checkCode(place, where)
  const { revision } = readNumbers(place, STAGE_OPTIONS, options)
  const code: WorkerMap = { name, columns, module: String(where.module), export: where.export }
  return { kind: "mapInWorkers", name, columns, recipe: recipeOfMap(name, columns, revision), code }
}

const isRowStage = (code: RowStage | WorkerMap): code is RowStage => "kind" in code

/**
 * The plan with stages, which are in the recipe of its feed: rows that went through others are another version.
 *
 * @param columnTypes what is known of the rows before them.
 */
export const withStages = (plan: Plan, stages: readonly Described[], columnTypes: SchemaMap | undefined): Plan => {
  if (stages.length === 0) return plan
  const { source, code } = plan.feed
  const own = recipeOf(...stages.map(({ recipe }) => recipe))
  const route = (item: Item): Route => {
    const { lane, recipe } = plan.feed.route(item)
    return { lane, recipe: `${recipe}-${own}` }
  }
  const feed: Feed = { source, code, route, ...(columnTypes && { columnTypes }) }
  const codes = stages.map((stage) => stage.code)
  return {
    ...plan,
    feed: codes.reduce((made, code) => (isRowStage(code) ? made : withWorkerMap(made, code)), feed),
    stages: codes.filter(isRowStage),
  }
}
