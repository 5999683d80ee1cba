/** What a run needs to know. Made by the builder, the YAML loader or the client; read by the engine. */
import type { Feed } from "../model/feed.ts"
import type { Hide } from "../model/hidden.ts"
import type { Sink } from "../model/sink.ts"
import type { RowStage } from "../model/stage.ts"
import type { Schema } from "../model/types.ts"
import type { Workers } from "./lanes.ts"

/**
 * - `append`: new items are added; items that are there already are skipped
 * - `error`: the table must not exist
 * - `replace`: the first commit replaces all rows, the others append
 * - `sync`: the table becomes what the source is: new rows of changed items take the place of the older ones, and rows of
 *   items that vanished are removed
 */
export type WriteMode = "append" | "error" | "replace" | "sync"

/**
 * What happens to rows that do not fit the table. Default `evolve`.
 * - `evolve`: columns that it lacks are added, null in older rows; an item with values of another type fails
 * - `freeze`: an item with columns that it lacks fails, too
 * - `discard_row`: only the rows that do not fit are left out, and the item counts as partial; it fails when none is left
 *
 * A table without rows takes the columns of its first commit, by whatever contract. Nothing is thrown: what did not fit,
 * by column and row, is in `<table>__items`.
 *
 * @example
 * ```ts
 * const contract: Contract = "freeze"
 * const sink = lance({ uri: "./data", table: "docs" })
 * await run(filesPlan({ name: "docs", source: files({ include: "./docs" }), sink }, { contract }))
 * for (const { item, error } of await deadLetters("./data", "docs")) console.log(item, error)
 * ```
 */
export type Contract = "evolve" | "freeze" | "discard_row"

/** Fires when any of these is reached; `period` counts in milliseconds from the first buffered row. */
export interface Trigger {
  readonly rows: number
  readonly bytes: number
  readonly period: number
}

export interface Plan {
  readonly name: string
  readonly feed: Feed
  /** What is done with the rows on their way, in this order. */
  readonly stages: readonly RowStage[]
  readonly sink: Sink
  readonly mode: WriteMode
  readonly contract: Contract
  /** `sync` removes no more than this share of the items, lest a source that lost its files empties the table. */
  readonly maxDeleteRatio: number
  /** Column types that the caller asks for; they win over what the normalizer says. */
  readonly schema: Schema
  readonly flush: Trigger
  readonly commit: Trigger
  /** Whether items that are known to have failed are left alone, tried again too, or the only ones that are tried. */
  readonly failed: "skip" | "retry" | "only"
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
  /** Takes secrets out of what is told and recorded. Default: there are none. */
  readonly hide?: Hide
}
