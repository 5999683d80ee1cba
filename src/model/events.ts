/** What a run reports while it goes on, and at its end. */
import type { ItemStatus, Stage } from "./item.ts"

/** `listed = done + unchanged + outdated + empty + failed + pending`; `partial` is part of `done`. */
export interface ItemCounts {
  /** Seen in the source. */
  readonly listed: number
  /** Their rows are in the table, from this run. */
  readonly done: number
  /** Of `done`: something of the item is missing; `<table>__items` says what. */
  readonly partial: number
  /** Were in the table already, at this version. */
  readonly unchanged: number
  /** Are in the table at an older version, which `append` leaves as it is. */
  readonly outdated: number
  /** Have no rows to give. */
  readonly empty: number
  /** Dead letters, from this run or known from earlier ones. */
  readonly failed: number
  /** Listed, but the run stopped before they were done. */
  readonly pending: number
  /** Vanished from the source, and removed from the table (`sync`). */
  readonly removed: number
}

/** Why a run ended. */
export type Ending = "complete" | "interrupted" | "too-many-failures"

export interface Summary {
  readonly run: string
  readonly pipeline: string
  readonly table: string
  readonly uri: string
  /** Version of the table after the run; 0 when there is none. */
  readonly version: number
  readonly ending: Ending
  readonly items: ItemCounts
  /** Rows that this run committed. */
  readonly rows: number
  /** Bytes of the items that this run did, as the source gave them. */
  readonly bytes: number
  readonly seconds: number
  readonly rowsByMedium: Readonly<Record<string, number>>
  readonly warnings: readonly string[]
}

/** Why buffered rows were flushed, or committed: a trigger of the plan, the end of the source, or of the run before it. */
export type Occasion = "rows" | "bytes" | "period" | "end" | "shutdown"

/** What goes through a run, for those who watch over it; counts are since its start. */
export interface Flow {
  /** Rows that the normalizers gave. */
  readonly rowsNormalized: number
  readonly rowsFlushed: number
  readonly flushes: Readonly<Record<Occasion, number>>
  /** Bytes of committed rows, as they were in memory. */
  readonly bytesCommitted: number
  /** Bytes of rows that no commit has taken yet. */
  readonly bytesBuffered: number
  /** Bytes of the items that workers are at, or wait for one. */
  readonly bytesInFlight: number
  /** Workers that are at a task. */
  readonly workersBusy: number
  /** Workers that died or had to be ended, and whose work another one took over. */
  readonly workersLost: number
}

/** Counts at one moment of a run. */
export interface Progress {
  readonly items: ItemCounts
  /** The listing is complete: `items.listed` is the total. */
  readonly listingComplete: boolean
  /** Total number of items where the source knows it beforehand. */
  readonly total: number | undefined
  /** Rows that this run has committed. */
  readonly rowsCommitted: number
  /** Bytes of the items whose rows have all been taken in. */
  readonly bytes: number
  readonly flow: Flow
}

export type RunEvent =
  | { readonly type: "started"; readonly run: string; readonly resumedItems: number }
  | {
      readonly type: "committed"
      readonly version: number
      /** Rows that the run has committed. */
      readonly rows: number
      /** Why this commit was made, and how long it took. */
      readonly occasion: Occasion
      readonly seconds: number
      readonly progress: Progress
    }
  | {
      readonly type: "settled"
      readonly item: string
      readonly status: ItemStatus
      readonly stage: Stage
      readonly message: string
    }
  | { readonly type: "warning"; readonly message: string }
  | { readonly type: "stopping"; readonly reason: Exclude<Ending, "complete"> }
  | { readonly type: "finished"; readonly summary: Summary }
