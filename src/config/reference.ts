/** What there is to know of a component, as a page: made of the specs that documents are checked by. */
import type { ComponentKind, Field, Fields } from "../model/fields.ts"
import type { Normalizer } from "../model/normalizer.ts"
import type { Registry } from "./registry.ts"

/** A component, whatever its kind. */
export interface Entry {
  readonly kind: ComponentKind
  readonly type: string
  readonly description: string
  readonly fields: Fields
  /** Only of what is always the same. */
  readonly normalizer?: Normalizer
}

const ofNormalizer = (normalizer: Normalizer): Entry => ({
  kind: "normalizer",
  type: normalizer.name,
  description: normalizer.description,
  fields: normalizer.options,
  normalizer,
})

/** All components, in the order of the reference. */
export const entriesOf = ({ sources, formats, normalizers, sinks }: Registry): readonly Entry[] => [
  ...sources,
  ...formats,
  ...normalizers.map(ofNormalizer),
  ...sinks,
]

const range = (field: { readonly min?: number; readonly max?: number }): string => {
  if (field.min === undefined && field.max === undefined) return ""
  if (field.max === undefined) return `, ${field.min} or more`
  return field.min === undefined ? `, ${field.max} or less` : `, from ${field.min} to ${field.max}`
}

const typeOf = (field: Field): string => {
  switch (field.type) {
    case "text":
      if (field.secret) return "text, as a `secret`"
      return field.orFalse ? "text, or `false`" : "text"
    case "string":
      return "text"
    case "texts":
      return "text, or a list of texts"
    case "boolean":
      return "`true` or `false`"
    case "choice":
      return field.choices.map((choice) => `\`${choice}\``).join(", ")
    case "integer":
      return `whole number${range(field)}`
    case "number":
      return `number${range(field)}`
    case "duration":
      return "duration: milliseconds, or text such as `10s`"
    case "bytes":
      return "size: bytes, or text such as `8MiB`"
  }
}

const defaultOf = (field: Field): string => {
  if (field.default === undefined) return field.optional ? "" : "required"
  const own =
    Array.isArray(field.default) && field.default.length === 0 ? "none" : `\`${JSON.stringify(field.default)}\``
  return field.variable === undefined ? own : `\`${field.variable}\`, else ${own}`
}

/** `|` would end a cell. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ")

/** A table of fields. */
const fieldsTable = (fields: Fields): string =>
  [
    "| key | value | default | |",
    "|---|---|---|---|",
    ...Object.entries(fields).map(
      ([name, field]) =>
        `| \`${name}\` | ${cell(typeOf(field))} | ${cell(defaultOf(field))} | ${cell(field.description)} |`,
    ),
  ].join("\n")

const quoted = (texts: readonly string[]): string => texts.map((text) => `\`${text}\``).join(", ")

const aboutFiles = ({ extensions, mimes, columns, lane }: Normalizer): readonly string[] => [
  extensions.length > 0
    ? `Names that end in ${quoted(extensions.map((one) => `.${one}`))}.`
    : "Files that no other takes.",
  ...(mimes.length > 0 ? [`Contents of ${quoted(mimes)}, whatever the name says.`] : []),
  `Columns: ${Object.entries(columns)
    .map(([name, type]) => `\`${name}\` ${type}`)
    .join(", ")}. Runs in a ${lane === "process" ? "child process" : "worker thread"}.`,
]

/** Where the component stands in a document. */
const placeOf = ({ kind, type }: Entry): string =>
  kind === "normalizer" ? `normalize: { ${type}: { ... } }` : `${kind}: { type: ${type}, ... }`

/** The page of a component, in Markdown. */
export const pageOf = (entry: Entry): string =>
  [
    `## ${entry.type}`,
    entry.description,
    ...(entry.normalizer ? aboutFiles(entry.normalizer) : []),
    `\`${placeOf(entry)}\``,
    Object.keys(entry.fields).length > 0 ? fieldsTable(entry.fields) : "It has no options.",
  ].join("\n\n")
