/** What a run needs to know. Made by the builder, the YAML loader or the client; read by the engine. */
import type { Item } from "../model/item.ts"
import type { Lane } from "../model/normalizer.ts"
import type { Sink } from "../model/sink.ts"
import type { Source } from "../model/source.ts"
import type { Schema } from "../model/types.ts"
import type { Workers } from "./lanes.ts"
import type { Code } from "./protocol.ts"

/**
 * - `append`: new items are added; items that are there already are skipped
 * - `error`: the table must not exist
 * - `replace`: the first commit replaces all rows, the others append
 */
export type WriteMode = "append" | "error" | "replace"

/** Fires when any of these is reached; `period` counts in milliseconds from the first buffered row. */
export interface Trigger {
  readonly rows: number
  readonly bytes: number
  readonly period: number
}

export interface Plan {
  readonly name: string
  readonly source: Source
  readonly code: Code
  /** Where an item is normalized, and what besides its fingerprint makes its version: the recipe. */
  readonly route: (item: Item) => { readonly lane: Lane; readonly recipe: string }
  readonly sink: Sink
  readonly mode: WriteMode
  /** Column types that the caller asks for; they win over what the normalizer says. */
  readonly schema: Schema
  readonly flush: Trigger
  readonly commit: Trigger
  readonly errors: {
    /** So many new failures are borne; one more stops the run after the good work is committed. */
    readonly max: number
    /** The same as a share of the items that were tried, once there are 20 of them. */
    readonly maxRatio: number
  }
  readonly workers: Workers
  /** Bytes that one item may take in memory. */
  readonly maxItemBytes: number
  /** Milliseconds that a drain waits for items in flight. */
  readonly shutdownTimeout: number
}
