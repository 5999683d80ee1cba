/** The contract of a source. */
import type { Feed } from "./feed.ts"
import { type Component, define, type Fields, type Spec } from "./fields.ts"
import type { Item } from "./item.ts"
import type { SchemaMap } from "./types.ts"

export interface SourceContext {
  /** Aborted when the run stops; the listing should end soon after. */
  readonly signal: AbortSignal
  /** Says something that a person should know and that is no failure, such as "3 symbolic links were not followed". */
  readonly warn: (message: string) => void
}

export interface Source {
  readonly name: string
  /**
   * Lists the items in an order that is the same every time. Nothing is read but what the listing needs, and no
   * more than a folder (or a page) of it is held at once. What exists but cannot be listed is an item with `error`.
   */
  items(context: SourceContext): AsyncIterable<Item>
  /** How many items there will be, where that is known without listing them; progress shows it. */
  readonly total?: number
  /** Requests that were made again since the source was made, where it makes any. */
  readonly retries?: () => number
}

/** What else of a document a source is told. */
export interface SourceExtra {
  /** The document's column types, for sources that make rows by themselves. */
  readonly schema: SchemaMap
}

export type SourceComponent = Component<"source", Source | Feed, SourceExtra>

export const Source = {
  /**
   * Makes a source known to pipeline documents, as a `type` under `source:`. Export what it gives from the module that
   * a document names under `plugins:`.
   *
   * @throws {ConfigError} for names that documents cannot have.
   * @example
   * ```ts
   * import { createHash } from "node:crypto"
   * import { Source } from "sluice"
   *
   * const inline = (texts: readonly string[]): Source => ({
   *   name: "inline",
   *   total: texts.length,
   *   items: async function* () {
   *     for (const [index, payload] of texts.entries()) {
   *       const version = createHash("sha256").update(payload).digest("hex")
   *       yield { id: `${index}.txt`, uri: `inline:${index}.txt`, version, bytes: payload.length, payload }
   *     }
   *   },
   * })
   *
   * export const inlineSource = Source.define({
   *   type: "inline",
   *   description: "Texts that stand in the document itself.",
   *   fields: { texts: { type: "texts", description: "The texts, an item each." } },
   *   make: ({ texts }) => inline([texts].flat()),
   * })
   * ```
   */
  define: <const F extends Fields>(spec: Spec<F, Source | Feed, SourceExtra>): SourceComponent =>
    define("source", spec),
}
