/** Checks a plain value against the document's schema, and says what is wrong in words of the document. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as SchemaAST from "effect/SchemaAST"
import type * as SchemaIssue from "effect/SchemaIssue"
import { suggest } from "../model/suggest.ts"
import type { ParsedDocument } from "./document.ts"
import type { Environment } from "./interpolate.ts"
import { describe, type Found, isRecord, type Path, type Problem } from "./problems.ts"
import type { Registry } from "./registry.ts"
import { COMPONENT_TYPES, documentSchema, type PipelineDocument } from "./schema.ts"
import { stagesProblems } from "./stages.ts"
import { testsProblems } from "./test-schema.ts"

const OPTIONS = { errors: "all", onExcessProperty: "error" } as const

const valueAt = (root: unknown, path: Path): unknown => {
  let value = root
  for (const part of path) value = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[part]
  return value
}

const expectedBy = (ast: SchemaAST.AST): string => {
  if (ast.annotations?.expected !== undefined) return String(ast.annotations.expected)
  return ast._tag === "Arrays" ? "a list" : ast._tag === "Objects" ? "a mapping" : "another value"
}

const keysOf = (ast: SchemaAST.AST): string[] =>
  ast._tag === "Objects" ? ast.propertySignatures.map(({ name }) => String(name)) : []

const withoutStart = (text: string, start: string): string => (text.startsWith(start) ? text.slice(start.length) : text)

/** The issues of a tree as problems with their paths. */
const flatten = (issue: SchemaIssue.Issue, path: Path, root: unknown): Found[] => {
  switch (issue._tag) {
    case "Pointer":
      return flatten(
        issue.issue,
        [...path, ...issue.path.map((part) => (typeof part === "number" ? part : String(part)))],
        root,
      )
    case "Composite":
      return issue.issues.flatMap((one) => flatten(one, path, root))
    case "Filter":
    case "Encoding":
      return flatten(issue.issue, path, root)
    case "MissingKey":
      return [{ path, message: "missing; it is required" }]
    case "UnexpectedKey":
      return [{ path, key: true, message: `unknown key${suggest(String(path.at(-1)), keysOf(issue.ast))}` }]
    case "AnyOf":
      return issue.issues.length > 0
        ? issue.issues.flatMap((one) => flatten(one, path, root))
        : [unionProblem(issue.ast, path, valueAt(root, path))]
    case "InvalidType":
      return [{ path, message: `expected ${expectedBy(issue.ast)}, found ${describe(valueAt(root, path))}` }]
    case "InvalidValue":
      // Checks of components name the field that they are about.
      return [{ path, message: withoutStart(String(issue.annotations?.message), `${String(path.at(-1))}: `) }]
    default:
      throw new Error(`the schema of documents gives no issue of the kind ${issue._tag}`)
  }
}

/** A value that is none of a union's members. */
const unionProblem = (ast: SchemaAST.Union, path: Path, found: unknown): Found => {
  const types = ast.annotations?.[COMPONENT_TYPES]
  if (!Array.isArray(types)) return { path, message: `expected ${expectedBy(ast)}, found ${describe(found)}` }
  const known = types.map(String)
  if (!isRecord(found)) return { path, message: `expected a mapping with a type, found ${describe(found)}` }
  const at = [...path, "type"]
  if (!Object.hasOwn(found, "type")) return { path: at, message: `missing; there are ${known.join(", ")}` }
  return { path: at, message: `unknown type ${describe(found.type)}${suggest(String(found.type), known)}` }
}

/** What is read is said once: as a source (with normalize), or as a format. */
const inputProblems = (value: Readonly<Record<string, unknown>>): Found[] => {
  const has = (key: string): boolean => Object.hasOwn(value, key)
  if (!has("source") && !has("format"))
    return [{ path: ["source"], message: "missing; a source or a format is required" }]
  if (!has("format")) return []
  return ["source", "normalize"]
    .filter(has)
    .map((key) => ({ path: [key], key: true, message: "a format reads and normalizes by itself; leave this out" }))
}

/** Whether reading left a problem on the way to a path: then whatever is said about it follows from that. */
const isBroken = (root: unknown, path: Path): boolean =>
  path.some((part, at) => {
    const parent = valueAt(root, path.slice(0, at))
    return (
      typeof parent === "object" &&
      parent !== null &&
      Object.hasOwn(parent, part) &&
      valueAt(parent, [part]) === undefined
    )
  })

export interface Checked {
  /** Undefined when there are problems. */
  readonly document: PipelineDocument | undefined
  readonly problems: readonly Problem[]
}

export const checkDocument = ({ value, place }: ParsedDocument, registry: Registry, env: Environment): Checked => {
  const result = Schema.decodeUnknownResult(documentSchema(registry, env))(value, OPTIONS)
  const contradictions = isRecord(value)
    ? [...inputProblems(value), ...stagesProblems(value.stages), ...testsProblems(value)]
    : []
  if (Result.isSuccess(result) && contradictions.length === 0) return { document: result.success, problems: [] }
  const found = Result.isSuccess(result) ? [] : flatten(result.failure.issue, [], value)
  const problems = [...found, ...contradictions]
    .filter(({ path }) => !isBroken(value, path))
    .map((one) => placed(one, place))
  return { document: undefined, problems }
}

export const placed = ({ path, key, message }: Found, place: ParsedDocument["place"]): Problem => ({
  path,
  place: place(path, key ? "key" : "value"),
  message,
})
