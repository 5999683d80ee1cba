/** `npm run reference`: writes docs/reference, which is made of the specs that documents and commands are checked by. */
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createProgram } from "../src/cli/program.ts"
import { jsonSchema } from "../src/config/json-schema.ts"
import { entriesOf, pageOf } from "../src/config/reference.ts"
import { BUILT_IN } from "../src/config/registry.ts"
import { COMPONENT_KINDS, type ComponentKind } from "../src/model/fields.ts"

const NOTICE = "<!-- Made by `npm run reference`; change the code that it is made of. -->"

const INTRODUCTIONS: Readonly<Record<ComponentKind, string>> = {
  source: "What a pipeline reads, as `source:` of a document. One of your own: [extending](../guide/extending.md).",
  format: "Dataset layouts, as `format:` of a document, in the place of `source` and `normalize`.",
  normalizer: "What becomes of files, by their medium: options under `normalize:` of a document.",
  sink: "Where rows go, as `sink:` of a document.",
}

const componentPage = (kind: ComponentKind): string => {
  const entries = entriesOf(BUILT_IN).filter((entry) => entry.kind === kind)
  return [NOTICE, `# ${kind[0]?.toUpperCase()}${kind.slice(1)}s`, INTRODUCTIONS[kind], ...entries.map(pageOf)].join(
    "\n\n",
  )
}

type Json = Readonly<Record<string, unknown>>

const typeOf = (schema: Json): string => {
  const any = schema.anyOf as readonly Json[] | undefined
  if (any) return [...new Set(any.map(typeOf).filter((type) => type !== ""))].join(" or ")
  if (schema.pattern === "\\$\\{") return ""
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (Array.isArray(schema.enum)) return schema.enum.map((choice) => `\`${choice}\``).join(", ")
  if (schema.type === "array") return `list of ${typeOf(schema.items as Json) || "values"}`
  return schema.type === "object" ? "mapping" : schema.type === "string" ? "text" : String(schema.type ?? "")
}

const propertiesOf = (schema: Json): readonly (readonly [string, Json])[] =>
  Object.entries((schema.properties ?? {}) as Json) as [string, Json][]

const PAGES: Readonly<Record<string, string>> = {
  source: "[sources](sources.md)",
  format: "[formats](formats.md)",
  normalize: "[normalizers](normalizers.md)",
  sink: "[sinks](sinks.md)",
}

/** The mappings that a value can be, or hold as a list. */
const formsOf = (schema: Json): readonly Json[] => [
  schema,
  ...[
    ...((schema.anyOf as readonly Json[] | undefined) ?? []),
    ...(schema.items ? [schema.items as Json] : []),
  ].flatMap(formsOf),
]

const requiredIn = (schema: Json): readonly unknown[] => (schema.required ?? []) as readonly unknown[]

/** A row for the key, and one for each key of a mapping that it can be. */
const rowsOf = (key: string, schema: Json, isRequired: boolean): string[] => {
  const byDefault =
    schema.default === undefined ? (isRequired ? "required" : "") : `\`${JSON.stringify(schema.default)}\``
  const page = PAGES[key]
  if (page) return [`| \`${key}\` | mapping | ${byDefault} | See ${page}. |`]
  const description = String(schema.description ?? "").replaceAll("|", "\\|")
  const path = schema.type === "array" ? `${key}[]` : key
  return [
    `| \`${key}\` | ${typeOf(schema).replaceAll("|", "\\|")} | ${byDefault} | ${description} |`,
    ...formsOf(schema).flatMap((form) =>
      propertiesOf(form).flatMap(([name, of]) => rowsOf(`${path}.${name}`, of, requiredIn(form).includes(name))),
    ),
  ]
}

const rowsOfDocument = (): string[] => {
  const schema = jsonSchema()
  return propertiesOf(schema).flatMap(([key, of]) => rowsOf(key, of, requiredIn(schema).includes(key)))
}

const documentPage = (): string =>
  [
    NOTICE,
    "# The pipeline document",
    "The keys of a pipeline's YAML. `sluice schema` prints the same for editors, as a JSON Schema; `sluice validate FILE` names what is wrong, by line and column. [The guide](../guide/yaml.md) shows them at work.",
    ["| key | value | default | |", "|---|---|---|---|", ...rowsOfDocument()].join("\n"),
  ].join("\n\n")

const commandsPage = (): string => {
  const program = createProgram({}, () => {})
  const pages = program.commands.map((command) => {
    const help = command.configureHelp({ helpWidth: 100 }).helpInformation().trimEnd()
    return `## sluice ${command.name()}\n\n\`\`\`\n${help}\n\`\`\``
  })
  return [
    NOTICE,
    "# Commands",
    "Data goes to standard output, everything else to standard error. Exit codes: 0 done, 1 failed, 2 bad configuration, 3 too many items failed, 130 or 143 interrupted after what was in flight was committed.",
    ...pages,
  ].join("\n\n")
}

/** The pages by their file names. */
export const referencePages = (): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(COMPONENT_KINDS.map((kind) => [`${kind}s.md`, `${componentPage(kind)}\n`])),
  "document.md": `${documentPage()}\n`,
  "commands.md": `${commandsPage()}\n`,
})

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = new URL("../docs/reference/", import.meta.url)
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(referencePages())) writeFileSync(new URL(name, folder), text)
}
