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

/** What the stages of a run are, in the order in which rows go through them: any number of maps and filters. */
export type StageKind = "list" | "normalize" | "map" | "filter" | "write"

/** Upper bounds, in seconds, of the durations that calls of a stage are counted by; longer ones come after the last. */
export const STAGE_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 60, 300] as const

/** A call of a stage that takes so many seconds or more is an event of its own. */
export const SLOW_SECONDS = 1

/**
 * What one stage of a run has done so far. A call is the listing as a whole, an item that is normalized, a call of the
 * function of a `map` or a `filter`, or a commit.
 */
export interface StageProgress {
  readonly stage: StageKind
  /** The name of a `map` or a `filter`; for the others, that of the stage. */
  readonly name: string
  /** Rows that came to it; none come to `list` and `normalize`. */
  readonly rowsIn: number
  /** Rows that it handed on, or committed. */
  readonly rowsOut: number
  /** Calls that have ended. */
  readonly calls: number
  /** Of `calls`: those that failed, for good or not. */
  readonly failed: number
  /** Calls made again: requests of the source (for `list`), items whose worker had died, calls of a `map` that failed. */
  readonly retries: number
  /** Spent in calls; those at the same time add up. */
  readonly seconds: number
  /** How many calls took up to each of `STAGE_SECONDS`, and not up to the one before; the last one counts longer ones. */
  readonly durations: readonly number[]
  /** Calls that go on now; for `normalize`, the workers that are at a task. */
  readonly inFlight: number
  /** What is with it now, in calls or waiting: items for `normalize`, rows for the stages after it. */
  readonly held: number
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
  /** Bytes of the items that are listed and still to be taken in: all that is left, once the listing is complete. */
  readonly bytesPending: number
  readonly flow: Flow
  /** From the listing to the write. */
  readonly stages: readonly StageProgress[]
}

export type RunEvent =
  /** `resumedItems` are in the table already. */
  | { readonly type: "started"; readonly run: string; readonly resumedItems: number }
  /** The source has been listed to its end; `seconds` has what the listing waited for the stages after it. */
  | { readonly type: "listed"; readonly items: number; readonly seconds: number }
  /** A call of a stage that failed, or took {@link SLOW_SECONDS} or more. */
  | {
      readonly type: "call"
      readonly stage: "normalize" | "map" | "filter"
      readonly name: string
      /** The first of the items that it was about, how many there were, and how many rows they had in it. */
      readonly item: string
      readonly items: number
      readonly rows: number
      /** Counts the tries of the same call from 1. */
      readonly attempt: number
      /** In milliseconds since 1970. */
      readonly begun: number
      readonly seconds: number
      /** Why it failed; null when it did not, and for an item that failed, which is `settled`. */
      readonly error: string | null
    }
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
  /** An item has no rows, or not all of them. */
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
