/** A pipeline document to begin with, made of the specs of its components. */
import type { Field, Fields } from "../model/fields.ts"
import type { Entry } from "./reference.ts"

const SHOWN = 120
const EMPTY = '""'

/** In YAML, JSON is a value. */
const defaultOf = (field: Field): string => (field.default === undefined ? "" : ` ${JSON.stringify(field.default)}`)

const comment = (text: string): string => {
  const line = text.replaceAll("\n", " ")
  return line.length > SHOWN ? `${line.slice(0, SHOWN - 1)}…` : line
}

/** What has to be said stands there to be filled in; what has a default is a comment. */
const linesOf = (fields: Fields, known: Readonly<Record<string, string>>): string[] =>
  Object.entries(fields).map(([name, field]) => {
    const about = comment(field.description)
    if (Object.hasOwn(known, name)) return `  ${name}: ${known[name]}  # ${about}`
    const isRequired = field.default === undefined && !field.optional
    return isRequired
      ? `  ${name}: ${EMPTY}  # to be filled in: ${about}`
      : `  # ${name}:${defaultOf(field)}  # ${about}`
  })

const block = (key: string, { type, fields }: Entry, known: Readonly<Record<string, string>> = {}): string[] => [
  `${key}:`,
  `  type: ${type}`,
  ...linesOf(fields, known),
]

export interface PipelineParts {
  readonly name: string
  /** A source or a format. */
  readonly input: Entry
  readonly sink: Entry
  readonly plugins: readonly string[]
}

/** The text of a document. */
export const pipelineScaffold = ({ name, input, sink, plugins }: PipelineParts): string =>
  [
    "version: 1",
    `name: ${name}`,
    ...(plugins.length > 0 ? [`plugins: ${JSON.stringify(plugins)}`] : []),
    ...block(input.kind, input),
    ...block("sink", sink, Object.hasOwn(sink.fields, "table") ? { table: name } : {}),
    "",
  ].join("\n")
