/**
 * Collects rows in item order until they are flushed and committed.
 *
 * A flush puts what is buffered together into one batch; a commit takes all flushed batches. At most one item is open
 * (its last row is not there yet): that of the newest rows.
 */

import { type Batch, batchOf } from "../model/batch.ts"
import { numberColumn } from "../model/column.ts"
import type { Occasion } from "../model/events.ts"
import { type Span, withHidden } from "../model/rows.ts"
import type { Schema } from "../model/types.ts"
import { conform } from "./contract.ts"
import { joinParts, type Part, partBytes, withoutOpen } from "./part.ts"
import type { Trigger } from "./plan.ts"

/** What one commit writes. */
export interface Group {
  readonly number: number
  readonly occasion: Occasion
  /** Of its rows, as they are in memory. */
  readonly bytes: number
  readonly batches: readonly Batch[]
  readonly side: ReadonlyMap<string, readonly Batch[]>
  /** Its rows by item. The last item is open when its last row is not among them. */
  readonly spans: readonly Span[]
}

interface Gauge {
  rows: number
  bytes: number
  since: number
}

const emptyGauge = (): Gauge => ({ rows: 0, bytes: 0, since: 0 })

const measure = (parts: readonly Part[]): { readonly rows: number; readonly bytes: number } => ({
  rows: parts.reduce((sum, part) => sum + part.batch.rows, 0),
  bytes: parts.reduce((sum, part) => sum + partBytes(part), 0),
})

export class Buffer {
  readonly #flushTrigger: Trigger
  readonly #commitTrigger: Trigger
  readonly #flushCounted: (rows: number, occasion: Occasion) => void
  #number: number
  #buffered: Part[] = []
  #flushed: Part[] = []
  #sinceFlush = emptyGauge()
  #sinceCommit = emptyGauge()

  /** `lastCommit` is the number of the newest commit in the table; `flushed` is called for each flush. */
  constructor(
    triggers: { readonly flush: Trigger; readonly commit: Trigger },
    lastCommit: number,
    flushed: (rows: number, occasion: Occasion) => void,
  ) {
    this.#flushTrigger = triggers.flush
    this.#commitTrigger = triggers.commit
    this.#number = lastCommit + 1
    this.#flushCounted = flushed
  }

  /** Bytes of the rows that no commit has taken yet. */
  get bytes(): number {
    return this.#sinceCommit.bytes
  }

  /** Rows that no commit has taken yet. */
  get rows(): number {
    return this.#sinceCommit.rows
  }

  /** Rows of `part` that still fit into the commit that is being filled; 0 when it has to be committed first. */
  room(part: Part): number {
    const { rows, bytes } = this.#sinceCommit
    const rowBytes = partBytes(part) / part.batch.rows
    const room = Math.min(this.#commitTrigger.rows - rows, Math.floor((this.#commitTrigger.bytes - bytes) / rowBytes))
    // A row that is larger than a whole commit is committed alone.
    return rows === 0 ? Math.max(room, 1) : Math.max(room, 0)
  }

  add(part: Part, schema: Schema): void {
    const bytes = partBytes(part)
    for (const gauge of [this.#sinceFlush, this.#sinceCommit]) {
      if (gauge.rows === 0) gauge.since = performance.now()
      gauge.rows += part.batch.rows
      gauge.bytes += bytes
    }
    this.#buffered.push(part)
    this.flushDue(schema)
  }

  /** Number of the commit that is being filled. */
  get number(): number {
    return this.#number
  }

  /** Which trigger has come, if any. */
  get commitDue(): Occasion | undefined {
    return this.#firing(this.#commitTrigger, this.#sinceCommit)
  }

  /** Flushes when a trigger has come. */
  flushDue(schema: Schema): void {
    const occasion = this.#firing(this.#flushTrigger, this.#sinceFlush)
    if (occasion) this.#flush(schema, occasion)
  }

  #flush(schema: Schema, occasion: Occasion): void {
    if (this.#buffered.length > 0) {
      this.#flushed.push(joinParts(this.#buffered, schema))
      this.#flushCounted(this.#sinceFlush.rows, occasion)
    }
    this.#buffered = []
    this.#sinceFlush = emptyGauge()
  }

  /**
   * Takes everything for one commit; undefined when there is nothing. Types are those of `schema`; `otherwise` says why,
   * where no trigger has come.
   */
  take(schema: Schema, otherwise: Occasion): Group | undefined {
    const occasion = this.commitDue ?? otherwise
    const { bytes } = this
    this.#flush(schema, occasion)
    const parts = this.#flushed.filter((part) => part.batch.rows > 0)
    this.#flushed = []
    this.#sinceCommit = emptyGauge()
    if (parts.length === 0) return undefined
    const number = this.#number++
    const spans = parts.flatMap((part) => part.spans)
    const side = new Map<string, Batch[]>()
    for (const part of parts) {
      for (const [name, batch] of Object.entries(part.side)) {
        if (batch.rows === 0) continue
        const commits = numberColumn(new BigInt64Array(batch.rows).fill(BigInt(number)), { name: "INT64" })
        side.set(name, [...(side.get(name) ?? []), batchOf({ ...Object.fromEntries(batch.columns), _commit: commits })])
      }
    }
    return {
      number,
      occasion,
      bytes,
      batches: parts.map((part) => withHidden(conform(part.batch, schema), part.spans, number)),
      side,
      spans,
    }
  }

  /** Drops the rows of the open item that are not committed yet. */
  dropOpen(item: string, version: string): void {
    const trim = (parts: readonly Part[]): Part[] => {
      const kept = [...parts]
      for (let part = kept.pop(); part; part = kept.pop()) {
        const left = withoutOpen(part, item, version)
        if (left.batch.rows > 0) return [...kept, left]
      }
      return kept
    }
    this.#buffered = trim(this.#buffered)
    if (this.#buffered.length === 0) this.#flushed = trim(this.#flushed)
    this.#sinceFlush = { ...this.#sinceFlush, ...measure(this.#buffered) }
    this.#sinceCommit = { ...this.#sinceCommit, ...measure([...this.#flushed, ...this.#buffered]) }
  }

  #firing(trigger: Trigger, gauge: Gauge): Occasion | undefined {
    if (gauge.rows === 0) return undefined
    if (gauge.rows >= trigger.rows) return "rows"
    if (gauge.bytes >= trigger.bytes) return "bytes"
    return performance.now() - gauge.since >= trigger.period ? "period" : undefined
  }
}
