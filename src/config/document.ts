/**
 * YAML text to plain values, one a document, with the place of everything in them.
 *
 * The text is anybody's: it is bounded in size, depth, aliases and values, keys are unique text, tags and merge keys are
 * refused, and variables are replaced in scalar values only, so that none can bring structure with it.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  type YAMLMap,
} from "yaml"
import { ConfigError } from "../model/errors.ts"
import { type Environment, hiding, interpolate } from "./interpolate.ts"
import type { Path, Place, Problem } from "./problems.ts"
import { hiddenAs, type Secret } from "./secrets.ts"

export const MAX_BYTES = 1 << 20
const MAX_DEPTH = 32
const MAX_ALIASES = 100
const MAX_DOCUMENTS = 100
/** Values after aliases are resolved. */
const MAX_VALUES = 20_000

/** A text as it stands in the document, before variables in it were replaced. */
export interface RawText {
  readonly path: Path
  readonly raw: string
  /** Those that it names. */
  readonly secrets: readonly Secret[]
}

export interface ParsedDocument {
  /** Null for an empty document; undefined where a problem left nothing. */
  readonly value: unknown
  readonly problems: readonly Problem[]
  readonly texts: readonly RawText[]
  /** Takes out of a message what variables stand for. */
  readonly hide: (message: string) => string
  /** Where the value at a path (or its key) stands; for what is not there, the nearest thing around it. */
  readonly place: (path: Path, of?: "key" | "value") => Place
}

/** The key under which a path is kept in maps. */
export const pathKey = (path: Path): string => JSON.stringify(path)

interface Offsets {
  readonly key: number
  readonly value: number
}

interface Reading {
  readonly doc: Document<Node>
  readonly env: Environment
  readonly skip: ReadonlySet<string>
  readonly offsets: Map<string, Offsets>
  /** Values that variables have made, and what they were made of. */
  readonly replaced: (readonly [value: string, text: string])[]
  readonly texts: RawText[]
  readonly report: (offset: number, path: Path, message: string) => void
}

/** Turns nodes into plain values; `exhausted` once there were more than a document needs. */
const nodeReader = ({ doc, env, skip, offsets, replaced, texts, report }: Reading) => {
  let aliases = 0
  let values = 0
  const open = new Set<Node>()

  const problem = (node: Node, path: Path, message: string): undefined => {
    report(node.range?.[0] ?? 0, path, message)
  }

  const readAlias = (alias: Alias, path: Path): unknown => {
    if (++aliases > MAX_ALIASES) return aliases > MAX_ALIASES + 1 ? undefined : problem(alias, path, "too many aliases")
    const target = alias.resolve(doc)
    if (!target) return problem(alias, path, `no anchor &${alias.source} stands before this alias`)
    if (open.has(target)) return problem(alias, path, `alias *${alias.source} is inside of what it stands for`)
    return read(target, path)
  }

  const readMap = (map: YAMLMap<unknown, Node | null>, path: Path): unknown => {
    const result: Record<string, unknown> = {}
    const seen = new Set<string>()
    for (const { key, value } of map.items) {
      if (!isScalar(key) || typeof key.value !== "string") {
        problem(isNode(key) ? key : map, path, "expected a key that is text")
        continue
      }
      const name = key.value
      const at = [...path, name]
      if (name === "<<") problem(key, path, "merge keys (<<) are not supported; write the keys out")
      else if (name === "__proto__") problem(key, at, "this key is not allowed")
      else if (seen.has(name)) problem(key, at, "this key is given twice; keys must be unique")
      else {
        seen.add(name)
        const start = key.range?.[0] ?? 0
        offsets.set(pathKey(at), { key: start, value: value?.range?.[0] ?? start })
        if (!skip.has(pathKey(at))) result[name] = value === null ? null : read(value, at)
      }
    }
    return result
  }

  const read = (node: Node, path: Path): unknown => {
    if (++values > MAX_VALUES) return values > MAX_VALUES + 1 ? undefined : problem(node, path, "too many values")
    if (path.length > MAX_DEPTH) return problem(node, path, `nested too deeply: expected at most ${MAX_DEPTH} levels`)
    if (isAlias(node)) return readAlias(node, path)
    if (isScalar(node)) {
      if (typeof node.value !== "string") return node.value
      const { text, problems: found, secrets } = interpolate(node.value, env)
      texts.push({ path, raw: node.value, secrets })
      if (!node.value.includes("${")) return node.value
      for (const message of found) problem(node, path, message)
      replaced.push([text, node.value], ...hiddenAs(secrets))
      return found.length > 0 ? undefined : text
    }
    open.add(node)
    try {
      if (isMap<unknown, Node | null>(node)) return readMap(node, path)
      if (!isSeq<Node | null>(node)) return problem(node, path, "expected a value")
      return node.items.map((item, at) => {
        const inner = [...path, at]
        offsets.set(pathKey(inner), { key: item?.range?.[0] ?? 0, value: item?.range?.[0] ?? 0 })
        return item === null ? null : read(item, inner)
      })
    } finally {
      open.delete(node)
    }
  }

  return { read, exhausted: () => aliases > MAX_ALIASES || values > MAX_VALUES }
}

const PARSING = {
  version: "1.2",
  schema: "core",
  merge: false,
  resolveKnownTags: false,
  // Checked while reading: the library's own check takes a minute for a document of 1 MiB.
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "error",
} as const

/**
 * Reads the documents of a text, which stand between lines of `---`. What is wrong with one comes back as its
 * problems; the values at `skip` (as {@link pathKey}) are left out of each, as if they were not there.
 *
 * @throws {ConfigError} when the text is larger than 1 MiB.
 */
export const readDocuments = (
  text: string,
  fileName: string,
  env: Environment,
  skip: ReadonlySet<string> = new Set(),
): readonly ParsedDocument[] => {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new ConfigError(`${fileName}: expected a pipeline document of at most 1 MiB, found more`)
  }
  const lines = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return line === 0 ? { line: 1, col: 1 } : { line, col }
  }
  const found = parseAllDocuments<Node>(text, { ...PARSING, lineCounter: lines })
  const parsed: readonly Document<Node>[] = "empty" in found ? [] : (found as Document<Node>[])
  // What follows a last `---` is no document.
  const documents = parsed.filter((doc) => !isNothing(doc) || parsed.length === 1)
  if (documents.length > MAX_DOCUMENTS) {
    throw new ConfigError(`${fileName}: expected at most ${MAX_DOCUMENTS} documents, found ${documents.length}`)
  }
  if (documents.length > 0) return documents.map((doc) => readParsed(doc, placeAt, env, skip))
  return [{ value: null, problems: [], texts: [], hide: hiding([]), place: () => placeAt(0) }]
}

const isNothing = ({ contents, errors }: Document<Node>): boolean =>
  errors.length === 0 && (contents === null || (isScalar(contents) && contents.source === ""))

const readParsed = (
  doc: Document<Node>,
  placeAt: (offset: number) => Place,
  env: Environment,
  skip: ReadonlySet<string>,
): ParsedDocument => {
  const problems: Problem[] = []
  const offsets = new Map<string, Offsets>()
  const place = (path: Path, of: "key" | "value" = "value"): Place => {
    for (let length = path.length; length >= 0; length--) {
      const found = offsets.get(pathKey(path.slice(0, length)))
      if (found) return placeAt(length === path.length ? found[of] : found.value)
    }
    return { line: 1, col: 1 }
  }
  for (const error of [...doc.errors, ...doc.warnings]) {
    const message = error.code === "RESOURCE_EXHAUSTION" ? "nested too deeply" : error.message
    problems.push({ place: placeAt(error.pos[0]), path: [], message })
    // Nothing else in such a document is worth telling.
    if (error.code === "RESOURCE_EXHAUSTION") break
  }
  if (problems.length > 0) return { value: undefined, problems, texts: [], hide: hiding([]), place }

  const replaced: (readonly [value: string, text: string])[] = []
  const texts: RawText[] = []
  const root = doc.contents
  offsets.set(pathKey([]), { key: root?.range?.[0] ?? 0, value: root?.range?.[0] ?? 0 })
  const { read, exhausted } = nodeReader({
    doc,
    env,
    skip,
    offsets,
    replaced,
    texts,
    report: (offset, path, message) => problems.push({ place: placeAt(offset), path, message }),
  })
  const value = root === null ? null : read(root, [])
  // What is left of a bomb is not worth checking.
  return { value: exhausted() ? undefined : value, problems, texts, hide: hiding(replaced), place }
}
