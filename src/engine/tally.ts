/** Counts what becomes of the items. The sums add up at every moment: see {@link ItemCounts}. */
import type { Flow, ItemCounts, Occasion, Progress } from "../model/events.ts"
import type { Span } from "../model/rows.ts"
import type { Source } from "../model/source.ts"
import { type StageTally, tallyStage } from "./stage-tally.ts"

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
  readonly #source: Source
  /** Requests of the source that were made again before this run. */
  readonly #retriesBefore: number
  readonly #flushes: Record<Occasion, number> = { rows: 0, bytes: 0, period: 0, end: 0, shutdown: 0 }
  readonly #rowStages: readonly StageTally[]
  #rowsFlushed = 0
  /** Items that this run tried, with whatever result; their rows need not be committed yet. */
  tried = 0
  /** Failures of this run: only these use up the budget. */
  newFailures = 0
  listingComplete = false
  rowsCommitted = 0
  bytes = 0
  bytesPending = 0
  /** Items that vanished from the source, and were removed. */
  removed = 0
  bytesCommitted = 0
  bytesInFlight = 0
  itemsInFlight = 0
  workersLost = 0
  readonly list = tallyStage("list")
  readonly normalize = tallyStage("normalize")
  readonly write = tallyStage("write")
  /** Asked when somebody wants to know. */
  bytesBuffered = (): number => 0
  workersBusy = (): number => 0

  /** @param rowStages those between normalizing and writing, in the order of the plan. */
  constructor(source: Source, rowStages: readonly StageTally[]) {
    this.#source = source
    this.#retriesBefore = source.retries?.() ?? 0
    this.#rowStages = rowStages
    this.normalize.held = () => this.itemsInFlight
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
    const { bytesCommitted, bytesInFlight, workersLost } = this
    return {
      rowsNormalized: this.normalize.rowsOut,
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

  get #stages(): Progress["stages"] {
    const { list, normalize, write } = this
    list.retries = (this.#source.retries?.() ?? 0) - this.#retriesBefore
    normalize.inFlight = this.workersBusy()
    write.rowsOut = this.rowsCommitted
    return [list, normalize, ...this.#rowStages, write].map(({ progress }) => progress)
  }

  get progress(): Progress {
    const { items, listingComplete, rowsCommitted, bytes, bytesPending } = this
    const { total } = this.#source
    return {
      items,
      listingComplete,
      total,
      rowsCommitted,
      bytes,
      bytesPending,
      flow: this.#flow,
      stages: this.#stages,
    }
  }
}
