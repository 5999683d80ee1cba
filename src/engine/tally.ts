/** Counts what becomes of the items. The sums add up at every moment: see {@link ItemCounts}. */
import type { Flow, ItemCounts, Occasion, Progress } from "../model/events.ts"
import type { Span } from "../model/rows.ts"

type Count = Exclude<keyof ItemCounts, "pending" | "removed">

export class Tally {
  readonly #counts: Record<Count, number> = {
    listed: 0,
    done: 0,
    partial: 0,
    unchanged: 0,
    outdated: 0,
    empty: 0,
    failed: 0,
  }
  readonly #rowsByMedium = new Map<string, number>()
  readonly #total: number | undefined
  readonly #flushes: Record<Occasion, number> = { rows: 0, bytes: 0, period: 0, end: 0, shutdown: 0 }
  #rowsFlushed = 0
  /** Items that this run tried, with whatever result; their rows need not be committed yet. */
  tried = 0
  /** Failures of this run: only these use up the budget. */
  newFailures = 0
  listingComplete = false
  rowsCommitted = 0
  bytes = 0
  /** Items that vanished from the source, and were removed. */
  removed = 0
  rowsNormalized = 0
  bytesCommitted = 0
  bytesInFlight = 0
  workersLost = 0
  /** Asked when somebody wants to know. */
  bytesBuffered = (): number => 0
  workersBusy = (): number => 0

  constructor(total: number | undefined) {
    this.#total = total
  }

  count(what: Count, by = 1): void {
    this.#counts[what] += by
  }

  /** Rows of a commit, by item. */
  countCommitted(spans: readonly Span[]): void {
    for (const { medium, rows } of spans) {
      this.rowsCommitted += rows
      if (medium) this.#rowsByMedium.set(medium, (this.#rowsByMedium.get(medium) ?? 0) + rows)
    }
  }

  countFlush(rows: number, occasion: Occasion): void {
    this.#rowsFlushed += rows
    this.#flushes[occasion]++
  }

  get #flow(): Flow {
    const { rowsNormalized, bytesCommitted, bytesInFlight, workersLost } = this
    return {
      rowsNormalized,
      rowsFlushed: this.#rowsFlushed,
      flushes: { ...this.#flushes },
      bytesCommitted,
      bytesBuffered: this.bytesBuffered(),
      bytesInFlight,
      workersBusy: this.workersBusy(),
      workersLost,
    }
  }

  get rowsByMedium(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#rowsByMedium].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  get items(): ItemCounts {
    const counts = this.#counts
    const settled = counts.done + counts.unchanged + counts.outdated + counts.empty + counts.failed
    return { ...counts, pending: counts.listed - settled, removed: this.removed }
  }

  get progress(): Progress {
    return {
      items: this.items,
      listingComplete: this.listingComplete,
      total: this.#total,
      rowsCommitted: this.rowsCommitted,
      bytes: this.bytes,
      flow: this.#flow,
    }
  }
}
