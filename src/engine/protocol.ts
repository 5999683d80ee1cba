/** What the main thread and a worker say to each other. */
import type { Batch } from "../model/batch.ts"
import type { Item, Stage } from "../model/item.ts"
import type { Code, Lane } from "../model/normalizer.ts"
import type { Span } from "../model/rows.ts"

export interface TaskItem {
  readonly item: Item
  /** The item's fingerprint and recipe, as its rows carry it. */
  readonly version: string
  /** So many of its rows are in the table already, from a run that was cut: they are not sent again. */
  readonly skip: number
}

/** Items that one worker does, one after the other. */
export interface Task {
  readonly code: Code
  readonly lane: Lane
  readonly items: readonly TaskItem[]
  readonly tempDir: string
  readonly maxBytes: number
}

/** Rows of consecutive items, with the side rows that belong to them. */
export interface RowsMessage {
  readonly kind: "rows"
  readonly batch: Batch
  readonly spans: readonly Span[]
  readonly side: Readonly<Record<string, Batch>>
  /** Memory that the message holds. */
  readonly bytes: number
  /** What it took to normalize each of the items that end in it. */
  readonly seconds?: readonly number[]
}

export type Message =
  /** The worker turns to this item of the task. */
  | { readonly kind: "begin"; readonly index: number }
  | RowsMessage
  /** The item ended without rows, or without all of them. A `partial` one goes on: its rows follow. */
  | { readonly kind: "empty"; readonly index: number; readonly seconds: number }
  | { readonly kind: "partial"; readonly index: number; readonly message: string }
  | {
      readonly kind: "failed"
      readonly index: number
      readonly stage: Stage
      readonly message: string
      readonly fatal: boolean
      readonly seconds: number
    }
  /** It took long to normalize the item, of which the end has been said, or comes. */
  | {
      readonly kind: "slow"
      readonly index: number
      readonly rows: number
      /** In milliseconds since 1970. */
      readonly begun: number
      readonly seconds: number
    }
  /** The content belongs to another lane: the item has to be done there. */
  | { readonly kind: "lane"; readonly index: number; readonly lane: Lane }

/** Sent besides: signs of life, and the end of the task (with why, where it could not be run at all). Without, the worker died. */
export type Signal = { readonly kind: "beat" } | { readonly kind: "end"; readonly error?: string }

/** The first word of a thread: which one it is. */
export interface At {
  readonly kind: "at"
  readonly thread: number
}

/** From the main thread: so many bytes more may be sent. */
export interface Control {
  readonly credit: number
}

/** A worker may have this much unread by the main thread before it has to wait. */
export const WINDOW_BYTES = 4 << 20
