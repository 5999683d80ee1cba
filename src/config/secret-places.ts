/**
 * Where secrets may stand in a document, and where they stand in plain text. What is shown or stored (names, paths,
 * tables) can be no secret; fields that take one say so, and addresses can have one in them.
 */
import type { Field } from "../model/fields.ts"
import type { ParsedDocument, RawText } from "./document.ts"
import { type Found, formatPath, isRecord, type Path, type Place, type Problem } from "./problems.ts"
import type { Registry } from "./registry.ts"
import { hiddenAs } from "./secrets.ts"

type Mapping = Readonly<Record<string, unknown>>

const PARTS = ["source", "format", "sink"] as const
type Part = (typeof PARTS)[number]

const isPart = (key: unknown): key is Part => PARTS.includes(key as Part)

const componentsOf = ({ sources, formats, sinks }: Registry, part: Part) =>
  ({ source: sources, format: formats, sink: sinks })[part]

const fieldsOf = (registry: Registry, part: Part, type: unknown) =>
  componentsOf(registry, part).find((component) => component.type === type)?.fields ?? {}

const typeIn = (document: Mapping, part: Part): unknown => {
  const { [part]: values } = document
  return isRecord(values) ? values.type : undefined
}

/** The field of a source, a format or a sink at a path, also where a test changes it. */
const fieldAt = (document: Mapping, registry: Registry, path: Path): Field | undefined => {
  const isChange = path[0] === "tests" && path[2] === "with"
  const [part, name] = isChange ? path.slice(3) : path
  if (!isPart(part) || typeof name !== "string") return undefined
  const tests: readonly unknown[] = Array.isArray(document.tests) ? document.tests : []
  const test = isChange ? tests[Number(path[1])] : undefined
  const type = (isRecord(test) && isRecord(test.with) ? typeIn(test.with, part) : undefined) ?? typeIn(document, part)
  const fields = fieldsOf(registry, part, type)
  return Object.hasOwn(fields, name) ? fields[name] : undefined
}

const secretFields = (document: Mapping, registry: Registry): string[] =>
  PARTS.flatMap((part) =>
    Object.entries(fieldsOf(registry, part, typeIn(document, part)))
      .filter(([, field]) => field.secret)
      .map(([name]) => formatPath([part, name])),
  )

const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

/** Secrets that stand where they would be shown. */
export const misplacedSecrets = ({ value, texts }: ParsedDocument, registry: Registry): Found[] => {
  if (!isRecord(value)) return []
  const isFit = ({ path, raw }: RawText): boolean => {
    const field = fieldAt(value, registry, path)
    return field !== undefined && (field.secret === true || isAddress(raw))
  }
  const fields = secretFields(value, registry)
  const instead = fields.length > 0 ? `a secret can be ${fields.join(", ")}` : "nothing in this document takes a secret"
  return texts
    .filter((text) => text.secrets.length > 0 && !isFit(text))
    .map(({ path, secrets }) => ({
      path,
      message: `a secret cannot stand where its value is shown or stored; ${instead}. For what may be shown there is $\{${secrets[0]?.name}}`,
    }))
}

/** Of tokens that can be told from anything else. */
const SHAPES: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a token of Hugging Face", /\bhf_[A-Za-z0-9]{20,}/],
  ["a key of AWS", /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ["a token of GitHub", /\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{30,})/],
  ["a token of GitLab", /\bglpat-[\w-]{20,}/],
  ["a token of Slack", /\bxox[abeoprs]-[\w-]{10,}/],
  ["a key of Google", /\bAIza[\w-]{35}/],
  ["a secret key", /\bsk-[\w-]{20,}/],
  ["a token of npm", /\bnpm_[A-Za-z0-9]{36}/],
  ["a JSON Web Token", /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]+/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["a password in an address", /\b[a-z][a-z0-9+.-]*:\/\/[^\s/?#"'@:]*:(?!\$\{)[^\s/?#"'@]+@/i],
  [
    "a secret in an address",
    /:\/\/[^\s#"']*[?&][\w-]*(?:token|passwo?r?d|secret|api_?key|access_?key|signature|sig)=(?!\$\{)[^\s&#"']+/i,
  ],
]

const shapeIn = (text: string): string | undefined => SHAPES.find(([, shape]) => shape.test(text))?.[0]

const ADVICE =
  "name it instead: set it in the environment, or put it into a file of SLUICE_SECRETS_DIR, and write $" +
  "{secret:NAME}"

/** Text that variables do not replace, but for their defaults. */
const literalOf = (raw: string): string => raw.replaceAll(/\$\{[^}:]*\}|\$\{secret:[^}]*\}/g, "")

/** Secrets in plain text, which `--strict` refuses. */
export const plainSecrets = ({ value, texts }: ParsedDocument, registry: Registry): Found[] => {
  if (!isRecord(value)) return []
  return texts.flatMap(({ path, raw }): Found[] => {
    const isSecret = fieldAt(value, registry, path)?.secret === true && literalOf(raw) !== ""
    const what = isSecret ? "a secret" : shapeIn(raw)
    return what === undefined ? [] : [{ path, message: `found ${what} in plain text; ${ADVICE}` }]
  })
}

/** The same in comments, where such a thing is soon forgotten. */
export const secretsInComments = (text: string): Problem[] =>
  text.split("\n").flatMap((line, at): Problem[] => {
    const [, before = "", comment = ""] = /^((?:[^#]*\s)?)(#.*)$/.exec(line) ?? []
    const what = shapeIn(comment)
    if (what === undefined) return []
    const place: Place = { line: at + 1, col: before.length + 1 }
    return [{ place, path: [], message: `found ${what} in a comment; take it out, and no longer use it` }]
  })

/** What a document knows that must not be told, and what stands in its place. */
export const secretsOf = (
  { texts }: ParsedDocument,
  document: Mapping,
  registry: Registry,
): readonly (readonly [value: string, text: string])[] => {
  const named = texts.flatMap(({ secrets }) => hiddenAs(secrets))
  // Such a field can come from a variable that its component names, too.
  const others = PARTS.flatMap((part) => {
    const { [part]: values } = document
    if (!isRecord(values)) return []
    return Object.entries(fieldsOf(registry, part, values.type)).flatMap(([name, field]) =>
      field.secret && typeof values[name] === "string" ? [[values[name], "***"] as const] : [],
    )
  })
  return [...named, ...others]
}
