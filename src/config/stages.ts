/** Stages of a document: a document has no code in it, so a stage names a function of one of its plugins. */
import * as Schema from "effect/Schema"
import { describeValue } from "../model/describe.ts"
import { ConfigError } from "../model/errors.ts"
import type { Fields, FieldValues } from "../model/fields.ts"
import type { Columns } from "../model/format.ts"
import type { FilterStage, MapStage } from "../model/stage.ts"
import { suggest } from "../model/suggest.ts"
import type { SchemaMap } from "../model/types.ts"
import { type Described, filterStage, mapStage, workerStage } from "../stages.ts"
import { columnTypes } from "./column-types.ts"
import { fieldsSchema, JSON_RULES, membersOf } from "./fields.ts"
import type { Plugin } from "./plugins.ts"
import { type Found, isRecord, type Path } from "./problems.ts"

const CODE = {
  module: { type: "text", description: "The module, as `plugins` has it." },
  export: { type: "text", description: "Name of the function among its exports." },
} as const satisfies Fields

/** What says how often, and how many at a time, the function of a `map` is called. */
const PACE = {
  batch: {
    type: "integer",
    min: 1,
    optional: true,
    description: "Rows of a call; they can be of several items. Default 32.",
  },
  concurrency: {
    type: "integer",
    min: 1,
    optional: true,
    description: "Calls that are made at the same time. Default 1.",
  },
  retries: {
    type: "integer",
    min: 0,
    optional: true,
    description: "So often a call that fails is made again. Default 3.",
  },
  per_second: {
    type: "number",
    min: 0.001,
    optional: true,
    description: "Calls that are begun in a second, at most. Default: as many as there are.",
  },
  timeout: {
    type: "duration",
    min: 1,
    max: 2 ** 31 - 1,
    optional: true,
    description: "Time that a call may take. Default 60s.",
  },
} as const satisfies Fields

const STAGE = {
  map: {
    type: "text",
    optional: true,
    description: "Name of a stage that adds columns, or puts others in their place; this is where a model is called.",
  },
  filter: { type: "text", optional: true, description: "Name of a stage that leaves rows out." },
  workers: {
    type: "boolean",
    optional: true,
    description:
      "The `map` runs in the workers, right after the rows are made, on rows of one item: for what keeps a processor busy. Such stages come first.",
  },
  ...PACE,
  revision: {
    type: "integer",
    min: 0,
    optional: true,
    description: "Raise it when the function gives something else for the same rows: nothing else tells. Default 1.",
  },
} as const satisfies Fields

/** What a document says of one stage. */
type StageValues = FieldValues<typeof STAGE> & {
  readonly code: FieldValues<typeof CODE>
  readonly columns?: SchemaMap
}

const stageSchema = Schema.Struct({
  ...membersOf(STAGE),
  code: fieldsSchema(CODE),
  columns: Schema.optionalKey(
    columnTypes.annotate({ description: "The columns that a `map` gives, and their types." }),
  ),
}).annotate({
  [JSON_RULES]: { dependentRequired: { map: ["columns"] } },
}) as unknown as Schema.Codec<StageValues, unknown>

export const stagesSchema = Schema.Array(stageSchema)

type Kind = "map" | "filter"

/** Of a value as it was written, which need not fit. */
const isTrue = (value: unknown): boolean => value === true || value === "true"

const keysProblems = (stage: Readonly<Record<string, unknown>>, path: Path): Found[] => {
  const has = (key: string): boolean => Object.hasOwn(stage, key)
  if (!has("map") && !has("filter"))
    return [{ path, message: "expected a map or a filter, with its name; found neither" }]
  if (has("map") && has("filter")) {
    return [{ path: [...path, "filter"], key: true, message: "a stage is a map or a filter; make two of them" }]
  }
  const misplaced = (keys: readonly string[], what: string): Found[] =>
    keys.filter(has).map((key) => ({ path: [...path, key], key: true, message: `${what}; leave this out` }))
  if (has("filter"))
    return misplaced(["columns", "workers", ...Object.keys(PACE)], "this is for a map, not for a filter")
  return [
    ...(has("columns") ? [] : [{ path: [...path, "columns"], message: "missing; a map says which columns it gives" }]),
    ...(isTrue(stage.workers)
      ? misplaced(Object.keys(PACE), "a map in the workers is called with rows as they come")
      : []),
  ]
}

/** Stages that contradict themselves, or one another. */
export const stagesProblems = (stages: unknown): Found[] => {
  if (!Array.isArray(stages)) return []
  const names = new Set<unknown>()
  let onMain: string | undefined
  return stages.flatMap((stage: unknown, at): Found[] => {
    if (!isRecord(stage)) return []
    const path = ["stages", at]
    const found = keysProblems(stage, path)
    const kind: Kind = Object.hasOwn(stage, "map") ? "map" : "filter"
    const name = stage[kind]
    if (name === undefined) return found
    if (typeof name === "string" && names.has(name)) {
      found.push({ path: [...path, kind], message: "another stage has this name; expected one of its own" })
    }
    names.add(name)
    if (!isTrue(stage.workers)) onMain ??= `${kind} ${JSON.stringify(name)}`
    else if (onMain !== undefined) {
      const message = `a map in the workers comes before the other stages, found it after ${onMain}`
      found.push({ path: [...path, "workers"], message })
    }
    return found
  })
}

const functionOf = ({ name, exports }: Plugin, wanted: string, path: Path): unknown => {
  const at = [...path, "code", "export"]
  if (!Object.hasOwn(exports, wanted)) {
    const known = Object.keys(exports)
    const hint = known.length > 0 ? suggest(wanted, known) : "; it has no exports"
    throw new PlacedError(at, `${name} has no export ${JSON.stringify(wanted)}${hint}`)
  }
  const found = exports[wanted]
  if (typeof found === "function") return found
  throw new PlacedError(at, `expected a function of a batch, found ${describeValue(found)}`)
}

class PlacedError extends ConfigError {
  readonly path: Path

  constructor(path: Path, message: string) {
    super(message)
    this.path = path
  }
}

const repeated = (values: Readonly<Record<string, unknown>>, rows: number): Columns =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Array<unknown>(rows).fill(value)]))

/** Stands in for the functions of stages: by their name, the values that each row gets. */
export type Mocks = Readonly<Record<string, Readonly<Record<string, unknown>>>>

const describedStage = (stage: StageValues, plugins: readonly Plugin[], mocks: Mocks, path: Path): Described => {
  const { module, export: name } = stage.code
  const plugin = plugins.find((one) => one.name === module)
  if (!plugin) {
    const known = plugins.map((one) => one.name)
    throw new PlacedError(
      [...path, "code", "module"],
      `expected a module that "plugins" lists, found ${JSON.stringify(module)}${known.length > 0 ? suggest(module, known) : ""}; only those are loaded`,
    )
  }
  const code = functionOf(plugin, name, path)
  const { map, filter, columns = {}, revision = 1 } = stage
  if (filter !== undefined) return filterStage(filter, code as FilterStage["keep"], { revision })
  if (map === undefined) throw new Error("the document's schema let through neither map nor filter")
  const mock = Object.hasOwn(mocks, map) ? mocks[map] : undefined
  if (mock) return mapStage(map, columns, ({ rows }) => repeated(mock, rows))
  if (stage.workers) return workerStage(map, columns, { module: plugin.url, export: name }, { revision })
  const { batch, concurrency, retries, per_second: perSecond, timeout } = stage
  const pace = Object.entries({ batch, concurrency, retries, perSecond, timeout }).filter(
    ([, value]) => value !== undefined,
  )
  return mapStage(map, columns, code as MapStage["map"], { revision, ...Object.fromEntries(pace) })
}

export interface ReadStages {
  readonly stages: readonly Described[]
  readonly problems: readonly Found[]
}

/** The stages of a document, with their functions. */
export const readStages = (
  given: readonly StageValues[],
  plugins: readonly Plugin[],
  mocks: Mocks = {},
): ReadStages => {
  const stages: Described[] = []
  const problems: Found[] = []
  for (const [at, stage] of given.entries()) {
    const path = ["stages", at]
    try {
      stages.push(describedStage(stage, plugins, mocks, path))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push({ path: error instanceof PlacedError ? error.path : path, message: error.message })
    }
  }
  return { stages, problems }
}
