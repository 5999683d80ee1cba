/**
 * What a component lets its user set, as plain data. From it come the validation of a YAML document, its JSON Schema,
 * the reference page and the defaults; a worker reads it without loading a schema library.
 */
import { ConfigError } from "./errors.ts"
import type { Plain } from "./item.ts"
import { parseBytes, parseDuration } from "./units.ts"

interface Described {
  /** One sentence for the reference page and for editors. */
  readonly description: string
}

export type OptionSpec =
  | (Described & { readonly type: "integer"; readonly default: number; readonly min?: number; readonly max?: number })
  | (Described & { readonly type: "number"; readonly default: number; readonly min?: number; readonly max?: number })
  | (Described & { readonly type: "boolean"; readonly default: boolean })
  | (Described & { readonly type: "string"; readonly default: string })
  /** Milliseconds, or text such as `10s`. */
  | (Described & { readonly type: "duration"; readonly default: number; readonly min?: number; readonly max?: number })
  /** Bytes, or text such as `8MiB`. */
  | (Described & { readonly type: "bytes"; readonly default: number; readonly min?: number; readonly max?: number })
  | (Described & { readonly type: "choice"; readonly default: string; readonly choices: readonly string[] })

export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type CamelCase<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name

type OptionValue<S extends OptionSpec> = S extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : S["type"] extends "duration" | "bytes"
    ? number | string
    : S["default"] extends boolean
      ? boolean
      : S["default"] extends string
        ? string
        : number

/** What may be given for options, under the names that they have in code: `chunk_size` is `chunkSize` there. */
export type OptionValues<O extends OptionSpecs> = {
  readonly [Name in keyof O & string as CamelCase<Name>]?: OptionValue<O[Name]>
}

/** The name of an option in documents. */
export const snakeCase = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const expected = (spec: OptionSpec): string => {
  switch (spec.type) {
    case "choice":
      return `one of ${spec.choices.join(", ")}`
    case "boolean":
      return "true or false"
    case "string":
      return "text"
    case "duration":
      return `a duration such as "10s"${range(spec, "ms")}`
    case "bytes":
      return `a size such as "8MiB"${range(spec, "bytes")}`
    default:
      return `${spec.type === "integer" ? "a whole number" : "a number"}${range(spec, "")}`
  }
}

const range = (spec: { readonly min?: number; readonly max?: number }, unit: string): string => {
  if (spec.min === undefined && spec.max === undefined) return ""
  if (spec.max === undefined) return ` of at least ${spec.min} ${unit}`.trimEnd()
  return ` from ${spec.min ?? "any"} to ${spec.max} ${unit}`.trimEnd()
}

/** The value in its normal form (durations in ms, sizes in bytes); undefined when it does not fit. */
const read = (spec: OptionSpec, value: unknown): Plain | undefined => {
  switch (spec.type) {
    case "boolean":
      return typeof value === "boolean" ? value : undefined
    case "string":
      return typeof value === "string" ? value : undefined
    case "choice":
      return typeof value === "string" && spec.choices.includes(value) ? value : undefined
    default: {
      const number = spec.type === "duration" ? parseDuration(value) : spec.type === "bytes" ? parseBytes(value) : value
      if (typeof number !== "number" || !Number.isFinite(number)) return undefined
      if (spec.type === "integer" && !Number.isInteger(number)) return undefined
      return number >= (spec.min ?? -Infinity) && number <= (spec.max ?? Infinity) ? number : undefined
    }
  }
}

/** What is wrong with `value`, in words; undefined when nothing is. */
export const optionProblem = (spec: OptionSpec, value: unknown): string | undefined =>
  read(spec, value) === undefined ? `expected ${expected(spec)}, found ${JSON.stringify(value)}` : undefined

/**
 * The options with defaults filled in and units resolved.
 *
 * @throws {ConfigError} for an unknown name or a value that does not fit; `owner` says whose options they are.
 */
export const readOptions = (
  owner: string,
  specs: OptionSpecs,
  given: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, Plain>> => {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name)) {
      throw new ConfigError(
        `${owner}: unknown option ${JSON.stringify(name)}; it has ${Object.keys(specs).join(", ") || "no options"}`,
      )
    }
  }
  const options: Record<string, Plain> = {}
  for (const [name, spec] of Object.entries(specs)) {
    const value = given[name]
    const result = value === undefined ? spec.default : read(spec, value)
    if (result === undefined) throw new ConfigError(`${owner}.${name}: ${optionProblem(spec, value)}`)
    options[name] = result
  }
  return options
}
