/**
 * What a part of a document can hold, as plain data, and the Effect Schema made of it. A normalizer's options are such
 * data already, so a new normalizer, source or sink needs no change here.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { messageOf } from "../model/errors.ts"
import type { Field, Fields, FieldValue, FieldValues } from "../model/fields.ts"
import { type OptionSpec, optionProblem } from "../model/options.ts"
import { parseBytes, parseDuration } from "../model/units.ts"
import type { Environment } from "./interpolate.ts"
import { describe } from "./problems.ts"

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const textProblem = (value: unknown, expected = "text"): string | undefined => {
  if (isText(value)) return undefined
  const hint = typeof value === "number" || typeof value === "boolean" ? "; put it in quotes" : ""
  return `expected ${expected}, found ${describe(value)}${hint}`
}

const checkProblem = (check: (text: string) => void, value: unknown): string | undefined => {
  try {
    check(String(value))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** What is wrong with a field's value; undefined when nothing is. */
const fieldProblem = (field: Field, value: unknown): string | undefined => {
  if (field.type === "text") {
    if (field.orFalse && readField(field, value) === false) return undefined
    return (
      textProblem(value, field.orFalse ? "text or false" : "text") ??
      (field.check === undefined ? undefined : checkProblem(field.check, value))
    )
  }
  return optionProblem({ ...field, default: field.default ?? 0 } as OptionSpec, scalarOf(field, value))
}

/**
 * Quotes do not make a number text where a number is expected: a variable can stand for one, and in `{ }` and `[ ]`
 * YAML wants quotes around it.
 */
const scalarOf = (field: Field, value: unknown): unknown => {
  if (typeof value !== "string" || field.type === "choice" || field.type === "string") return value
  return field.type === "boolean" ? (BOOLEANS.get(value) ?? value) : isNumberText(value) ? Number(value) : value
}

const BOOLEANS = new Map([
  ["true", true],
  ["false", false],
])

export const isNumberText = (text: string): boolean => /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text)

const readField = (field: Field, value: unknown): unknown => {
  switch (field.type) {
    case "duration":
      return parseDuration(scalarOf(field, value))
    case "bytes":
      return parseBytes(scalarOf(field, value))
    case "text":
      // A variable can stand for it.
      return field.orFalse && value === "false" ? false : value
    default:
      return scalarOf(field, value)
  }
}

/** A value that `problem` finds nothing wrong with. */
export const checked = <T>(
  problem: (value: unknown) => string | undefined,
  read: (value: unknown) => T,
): Schema.Codec<T, unknown> =>
  Schema.declareConstructor<T, unknown>()([], () => (value) => {
    const message = problem(value)
    return message === undefined
      ? Effect.succeed(read(value))
      : Effect.fail(new SchemaIssue.InvalidValue({ message }, value))
  })

/** Under this name a schema keeps its JSON Schema, where that does not follow from anything else. */
export const JSON_FORM = "jsonForm"

/** Under this name a schema keeps what its JSON Schema says besides. */
export const JSON_RULES = "jsonRules"

/** Under this name the schema of a field keeps the field itself, for the JSON Schema. */
export const FIELD = "field"

const TEXT: Field = { type: "text", description: "One of a list of texts." }

const textsSchema = (required: boolean) =>
  Schema.Union([
    Schema.String.check(Schema.makeFilter((text) => textProblem(text))),
    Schema.Array(fieldSchema(TEXT)).check(
      Schema.makeFilter((list) => !required || list.length > 0 || "expected at least one text, found an empty list"),
    ),
  ]).annotate({ expected: "text, or a list of texts" })

export const fieldSchema = <const F extends Field>(field: F): Schema.Codec<FieldValue<F>, unknown> => {
  const schema =
    field.type === "texts"
      ? textsSchema(field.default === undefined && !field.optional)
      : checked(
          (value) => fieldProblem(field, value),
          (value) => readField(field, value),
        )
  // fieldProblem has found the value to be of the field's type.
  return (schema as Schema.Codec<unknown, unknown>).annotate({ [FIELD]: field }) as Schema.Codec<FieldValue<F>, unknown>
}

const memberOf = (field: Field, env: Environment) => {
  const schema = fieldSchema(field)
  const byDefault = (field.variable === undefined ? undefined : env[field.variable]) || field.default
  if (byDefault !== undefined) return Schema.withDecodingDefaultKey(Effect.succeed(byDefault))(schema)
  return field.optional ? Schema.optionalKey(schema) : schema
}

/** The members of a struct that has these fields. */
export const membersOf = (fields: Fields, env: Environment = {}) =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, memberOf(field, env)]))

/** A mapping with these fields and no others. */
export const fieldsSchema = <const F extends Fields>(fields: F): Schema.Codec<FieldValues<F>, unknown> =>
  Schema.Struct(membersOf(fields)) as unknown as Schema.Codec<FieldValues<F>, unknown>
