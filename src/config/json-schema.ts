/**
 * The JSON Schema (2020-12) of pipeline documents, for editors. It is made of what documents are checked with, so the two
 * cannot disagree; what only a program can check (paths, column types) is left to `sluice validate`.
 */
import * as SchemaAST from "effect/SchemaAST"
import type { Field } from "../model/fields.ts"
import { FIELD, JSON_FORM, JSON_RULES } from "./fields.ts"
import { BUILT_IN } from "./registry.ts"
import { documentSchema } from "./schema.ts"

type Json = Readonly<Record<string, unknown>>

const TEXT: Json = { type: "string", minLength: 1 }
/** A variable stands for a value of any type. */
const VARIABLE: Json = { type: "string", pattern: "\\$\\{" }

const orVariable = (schema: Json): Json => ({ anyOf: [schema, VARIABLE] })

const kindOf = (field: Field): Json => {
  switch (field.type) {
    case "text":
      return field.orFalse ? { anyOf: [TEXT, { const: false }] } : TEXT
    case "string":
      return { type: "string" }
    case "texts":
      return { anyOf: [TEXT, { type: "array", items: TEXT }] }
    case "boolean":
      return orVariable({ type: "boolean" })
    case "choice":
      return orVariable({ enum: field.choices })
    case "integer":
    case "number":
      return orVariable({
        type: field.type,
        ...(field.min !== undefined && { minimum: field.min }),
        ...(field.max !== undefined && { maximum: field.max }),
      })
    case "duration":
      return { anyOf: [{ type: "number", minimum: 0 }, TEXT], examples: ["250ms", "60s", "5m"] }
    case "bytes":
      return { anyOf: [{ type: "number", minimum: 0 }, TEXT], examples: ["64KiB", "8MiB", "1GB"] }
  }
}

const ofField = (field: Field): Json => ({
  description: field.description,
  ...kindOf(field),
  ...(field.default !== undefined && { default: field.default }),
})

const isOptional = (type: SchemaAST.AST): boolean => type.context?.isOptional === true || type.encoding !== undefined

const ofStruct = ({ propertySignatures, indexSignatures, annotations }: SchemaAST.Objects): Json => {
  const others = indexSignatures[0]
  return {
    ...(annotations?.[JSON_RULES] as Json | undefined),
    type: "object",
    properties: Object.fromEntries(propertySignatures.map(({ name, type }) => [String(name), toJson(type)])),
    required: propertySignatures.filter(({ type }) => !isOptional(type)).map(({ name }) => String(name)),
    additionalProperties: others ? toJson(others.type) : false,
  }
}

const toJson = (ast: SchemaAST.AST): Json => {
  const description = SchemaAST.resolveDescription(ast)
  return { ...(description !== undefined && { description }), ...formOf(ast) }
}

const formOf = (ast: SchemaAST.AST): Json => {
  const field = ast.annotations?.[FIELD] as Field | undefined
  if (field) return ofField(field)
  const form = ast.annotations?.[JSON_FORM] as Json | undefined
  if (form) return form
  switch (ast._tag) {
    case "Objects":
      return ofStruct(ast)
    case "Arrays":
      return { type: "array", items: ast.rest[0] ? toJson(ast.rest[0]) : {} }
    case "Union":
      return { anyOf: ast.types.map(toJson) }
    case "Literal":
      return { const: ast.literal }
    case "String":
      return TEXT
    case "Number":
      return { type: "number" }
    default:
      return {}
  }
}

/** What `sluice schema` prints. */
export const jsonSchema = (): Json => ({
  $schema: "https://json-schema.org/draft/2020-12/schema",
  title: "A Sluice pipeline",
  ...toJson(documentSchema(BUILT_IN, {}).ast),
})
