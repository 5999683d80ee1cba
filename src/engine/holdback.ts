/**
 * Leaves rows of items out, and keeps the mark of an item's end where it belongs: on its last row that stays. Which one
 * that is shows only at the end, so one row is held back until then. Rows keep their numbers.
 */
import { type Part, splitPart } from "./part.ts"

export interface Remainder {
  /** Rows that can be passed on now. */
  readonly parts: readonly Part[]
  /** The item has ended, and none of its rows is left. */
  readonly nothingLeft?: true
}

export interface Holdback {
  /** Takes rows of one item without those that are left out. */
  take(part: Part, isOut: (row: number) => boolean): Remainder
  /** Forgets the item that has not ended. */
  drop(): void
}

const between = (part: Part, start: number, end: number): Part => {
  const before = splitPart(part, end)[0]
  return start === 0 ? before : (splitPart(before, start)[1] ?? before)
}

/** The rows that stay, in pieces without a gap. */
const piecesOf = (part: Part, isOut: (row: number) => boolean): Part[] => {
  const pieces: Part[] = []
  let start = 0
  for (let row = 0; row <= part.batch.rows; row++) {
    if (row < part.batch.rows && !isOut(row)) continue
    if (row > start) pieces.push(between(part, start, row))
    start = row + 1
  }
  return pieces
}

const withEnd = (part: Part, end: boolean): Part => ({
  ...part,
  spans: part.spans.map((span, index) => ({ ...span, end: end && index === part.spans.length - 1 })),
})

export const openHoldback = (): Holdback => {
  let held: Part | undefined

  return {
    drop: () => {
      held = undefined
    },
    take: (part, isOut) => {
      const ended = part.spans.at(-1)?.end === true
      const parts = [...(held ? [held] : []), ...piecesOf(part, isOut)].map((one) => withEnd(one, false))
      const last = parts.pop()
      held = undefined
      if (!last) return ended ? { parts, nothingLeft: true } : { parts }
      if (ended) return { parts: [...parts, withEnd(last, true)] }
      const [before, after] = splitPart(last, last.batch.rows - 1)
      held = after ?? last
      return { parts: after ? [...parts, before] : parts }
    },
  }
}
