/**
 * In which order an epoch goes through the rows, by seed.
 *
 * A shuffle cuts the rows into blocks of 64 neighbours, and deals the blocks out at random into windows of 256. The rows
 * of a window are then shuffled among one another. So reading costs little more than reading in order, as neighbours lie
 * together on the disk, and what is in memory is one window; rows of different windows are as far apart as chance has it,
 * while those of one block come in the same window. A view of at most 16,384 rows is one window: any order is as likely.
 */

import { dice } from "../../model/dice.ts"
import { ConfigError } from "../../model/errors.ts"

const BLOCK_ROWS = 64
const WINDOW_BLOCKS = 256
export const WINDOW_ROWS = BLOCK_ROWS * WINDOW_BLOCKS

/** Positions are kept as 32-bit numbers. */
const MAX_ROWS = 2 ** 32 - 1

/** @throws {ConfigError} for more rows than positions can be told of. */
export const checkRows = (rows: number): void => {
  if (rows > MAX_ROWS)
    throw new ConfigError(`Expected at most ${MAX_ROWS} rows to shuffle, split or pick, found ${rows}`)
}

/** Fisher and Yates. */
export const shuffle = (values: Uint32Array, next: () => number): Uint32Array => {
  for (let last = values.length - 1; last > 0; last--) {
    const other = Math.floor(next() * (last + 1))
    const value = values[last] ?? 0
    values[last] = values[other] ?? 0
    values[other] = value
  }
  return values
}

/** 0, 1, 2, ... */
export const range = (start: number, end: number): Uint32Array => {
  const values = new Uint32Array(end - start)
  for (let at = 0; at < values.length; at++) values[at] = start + at
  return values
}

/** Windows of rows in the order in which they are stored, from the one at `position` on. */
export function* inOrder(rows: number, position: number): Generator<Uint32Array> {
  for (let start = position; start < rows; start += WINDOW_ROWS) yield range(start, Math.min(start + WINDOW_ROWS, rows))
}

/** Windows of rows in the order of the seed, from the one that is the `position`th of the epoch on. */
export function* shuffled(rows: number, seed: number, position: number): Generator<Uint32Array> {
  const blocks = shuffle(range(0, Math.ceil(rows / BLOCK_ROWS)), dice(seed, "blocks"))
  let before = 0
  for (let first = 0; first < blocks.length; first += WINDOW_BLOCKS) {
    const own = blocks.subarray(first, first + WINDOW_BLOCKS)
    const sizeOf = (block: number): number => Math.min(BLOCK_ROWS, rows - block * BLOCK_ROWS)
    let size = 0
    for (const block of own) size += sizeOf(block)
    if (before + size > position) {
      const window = new Uint32Array(size)
      let at = 0
      for (const block of own) {
        for (let row = 0; row < sizeOf(block); row++) window[at++] = block * BLOCK_ROWS + row
      }
      shuffle(window, dice(seed, `window ${first / WINDOW_BLOCKS}`))
      yield window.subarray(Math.max(0, position - before))
    }
    before += size
  }
}
