/** Stages: what is done with rows between the normalizer and the sink. */
import type { Columns } from "./format.ts"
import type { Schema, SchemaMap } from "./types.ts"
import type { ValueOf } from "./value-types.ts"

/** Rows as a stage sees them, of one item or of several. */
export interface StageBatch<S extends SchemaMap = SchemaMap> {
  readonly rows: number
  /** The item that each row belongs to. */
  readonly items: readonly string[]
  /**
   * The values of a column, one a row, null where there is none. Bytes and vectors are views: copy what has to outlive
   * the call.
   *
   * @throws {IngestError} when there is no such column.
   */
  column<Name extends keyof S & string>(name: Name): readonly (ValueOf<S[Name]> | null)[]
}

export interface StageContext {
  /** Aborted when the call has taken too long, or nobody waits for it any more. */
  readonly signal: AbortSignal
}

/** Adds columns (or replaces them): this is where a model is called. */
export interface MapStage {
  readonly kind: "map"
  readonly name: string
  /** The columns that it gives, and their types. */
  readonly columns: Schema
  readonly map: (batch: StageBatch, context: StageContext) => Columns | Promise<Columns>
  /** Rows of a call, of several items where one has fewer. */
  readonly batch: number
  /** Calls that are made at the same time. */
  readonly concurrency: number
  /** A call that fails is made again so many times. Then each of its items is tried alone, so that one costs itself only. */
  readonly retries: number
  /** Calls a second, at most. */
  readonly perSecond: number
  /** Milliseconds that a call may take. */
  readonly timeout: number
}

/** Leaves rows out. The others keep their numbers; an item of which none is left is empty. */
export interface FilterStage {
  readonly kind: "filter"
  readonly name: string
  /** For each row, whether it stays. */
  readonly keep: (batch: StageBatch) => ArrayLike<unknown> | Promise<ArrayLike<unknown>>
}

export type RowStage = MapStage | FilterStage
