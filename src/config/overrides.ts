/** Values given on the command line as `key=value`, in place of the document's. */
import { ConfigError } from "../model/errors.ts"
import { type ParsedDocument, pathKey, type RawText, readDocuments } from "./document.ts"
import { type Environment, hiding, interpolate } from "./interpolate.ts"
import type { Path, Place, Problem } from "./problems.ts"
import { hiddenAs } from "./secrets.ts"

export interface Override {
  readonly path: readonly string[]
  readonly value: string
}

/**
 * `sink.uri=./out`: the path of a key, with dots, and its value.
 *
 * @throws {ConfigError} for what has no such form.
 */
export const parseOverride = (text: string): Override => {
  const at = text.indexOf("=")
  const path = text.slice(0, Math.max(at, 0)).split(".")
  if (at < 1 || path.some((part) => part === "" || part === "__proto__")) {
    throw new ConfigError(`--set: expected KEY=VALUE, such as sink.table=docs, found ${JSON.stringify(text)}`)
  }
  return { path, value: text.slice(at + 1) }
}

interface Given {
  readonly value: unknown
  readonly problems: readonly string[]
  readonly texts: readonly RawText[]
  readonly hide: ParsedDocument["hide"]
}

const asItIs = (message: string): string => message

const EMPTY = { value: null, problems: [], texts: [], hide: asItIs }

/** A list, a mapping or quoted text is read as YAML; everything else is one value, whatever is in it. */
const readValue = (text: string, env: Environment): Given => {
  if (/^\s*[[{"']/.test(text)) {
    const [{ value, problems, texts, hide } = EMPTY] = readDocuments(text, "--set", env)
    return { value, problems: problems.map(({ message }) => message), texts, hide }
  }
  const { text: replaced, problems, secrets } = interpolate(text, env)
  const hide = text.includes("${") ? hiding([[replaced, text], ...hiddenAs(secrets)]) : asItIs
  return { value: replaced, problems, texts: [{ path: [], raw: text, secrets }], hide }
}

type Mapping = Record<string, unknown>

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The mapping that holds the last key of a path, made where it is not there; or the path of what is no mapping. */
const holder = (root: Mapping, path: readonly string[], made: (path: Path) => void): Mapping | Path => {
  let mapping = root
  for (const [at, part] of path.slice(0, -1).entries()) {
    const found = Object.hasOwn(mapping, part) ? mapping[part] : undefined
    if (isMapping(found)) {
      mapping = found
    } else if (found === undefined) {
      const created: Mapping = {}
      mapping[part] = created
      mapping = created
      made(path.slice(0, at + 1))
    } else {
      return path.slice(0, at + 1)
    }
  }
  return mapping
}

/** The document with the overrides in it. It was read without the values at their paths. */
export const applyOverrides = (
  document: ParsedDocument,
  overrides: readonly Override[],
  env: Environment,
): ParsedDocument => {
  const { value: root } = document
  if (overrides.length === 0 || !isMapping(root)) return document
  const places = new Map<string, Place>()
  const problems: Problem[] = [...document.problems]
  const texts = [...document.texts]
  const hides = [document.hide]
  for (const { path, value: given } of overrides) {
    const place: Place = { override: path.join(".") }
    const mapping = holder(root, path, (made) => places.set(pathKey(made), place))
    if (Array.isArray(mapping)) {
      problems.push({
        place,
        path: mapping,
        message: "expected a mapping to set a key of; set the whole of it instead",
      })
      continue
    }
    const { value, problems: found, texts: others, hide } = readValue(given, env)
    texts.push(...others.map((one) => ({ ...one, path: [...path, ...one.path] })))
    hides.push(hide)
    ;(mapping as Mapping)[path.at(-1) ?? ""] = found.length > 0 ? undefined : value
    places.set(pathKey(path), place)
    for (const message of found) problems.push({ place, path, message })
  }
  return {
    value: root,
    problems,
    texts,
    hide: (message) => hides.reduce((text, hide) => hide(text), message),
    place: (path, of) => {
      for (let length = path.length; length > 0; length--) {
        const found = places.get(pathKey(path.slice(0, length)))
        if (found) return found
      }
      return document.place(path, of)
    },
  }
}
