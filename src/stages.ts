/** Stages as code describes them: checked, with their defaults, and as a part of what shapes the rows. */
import { describeValue } from "./model/describe.ts"
import { ConfigError } from "./model/errors.ts"
import { type Feed, recipeOf } from "./model/feed.ts"
import type { Plain } from "./model/item.ts"
import { checkColumnName } from "./model/rows.ts"
import type { FilterStage, MapStage, RowStage } from "./model/stage.ts"
import { type ColumnType, formatType, parseType, type Schema, type SchemaMap } from "./model/types.ts"

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

/** A stage, with what of it shapes rows. Its function does, too, and cannot be told from another: hence `revision`. */
export interface Described<S extends RowStage = RowStage> {
  readonly stage: S
  readonly recipe: Plain
}

/** Where something is wrong: `map "embed"`. @throws {ConfigError} for a name or function that is none. */
const placeOf = (kind: RowStage["kind"], name: unknown, code: unknown): string => {
  if (typeof name !== "string" || name.trim() === "") {
    throw new ConfigError(`${kind}: expected a name for the stage, found ${describeValue(name)}`)
  }
  const place = `${kind} ${JSON.stringify(name)}`
  if (typeof code !== "function") {
    throw new ConfigError(`${place}: expected a function of a batch, found ${describeValue(code)}`)
  }
  return place
}

const readType = (place: string, column: string, text: unknown): ColumnType => {
  checkColumnName(column)
  if (typeof text !== "string") {
    throw new ConfigError(
      `${place}: column ${JSON.stringify(column)}: expected a column type such as "TEXT", found ${describeValue(text)}`,
    )
  }
  const type = parseType(text, column)
  if (type.name === "EMBEDDING" && !type.size) {
    throw new ConfigError(
      `${place}: column ${JSON.stringify(column)}: expected how many numbers a vector has, as in EMBEDDING(384), found ${text}`,
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

/** @throws {ConfigError} for what does not fit, naming the stage. */
export const mapStage = (
  name: string,
  columns: SchemaMap,
  map: MapStage["map"],
  options: MapOptions = {},
): Described<MapStage> => {
  const place = placeOf("map", name, map)
  const types = readTypes(place, columns)
  const { revision, ...pace } = readNumbers(place, MAP_OPTIONS, options)
  return {
    stage: { kind: "map", name, columns: types, map, ...pace },
    recipe: ["map", name, revision, [...types].map(([column, type]) => [column, formatType(type)])],
  }
}

/** @throws {ConfigError} for what does not fit, naming the stage. */
export const filterStage = (
  name: string,
  keep: FilterStage["keep"],
  options: StageOptions = {},
): Described<FilterStage> => {
  const { revision } = readNumbers(placeOf("filter", name, keep), STAGE_OPTIONS, options)
  return { stage: { kind: "filter", name, keep }, recipe: ["filter", name, revision] }
}

/**
 * The feed with stages in its recipe: rows that went through others are another version.
 *
 * @param columnTypes what is known of its rows.
 */
export const stagedFeed = (feed: Feed, stages: readonly Described[], columnTypes: SchemaMap | undefined): Feed => {
  if (stages.length === 0) return feed
  const own = recipeOf(...stages.map(({ recipe }) => recipe))
  return {
    source: feed.source,
    code: feed.code,
    route: (item) => {
      const { lane, recipe } = feed.route(item)
      return { lane, recipe: `${recipe}-${own}` }
    },
    ...(columnTypes && { columnTypes }),
  }
}
