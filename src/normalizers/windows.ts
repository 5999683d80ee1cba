/**
 * Overlapping windows over a text of any length. They are cut in its UTF-8 bytes: a window is a range of bytes, so
 * nothing is decoded, characters (Unicode code points) cannot be torn apart, and pure ASCII needs no counting at all.
 */
import { isAscii } from "node:buffer"
import type { Piece } from "../media/itemfile.ts"
import type { Column } from "../model/column.ts"

/** Windows are handed over together until they are so many, or have so many bytes. */
const BATCH_ROWS = 2000
const BATCH_BYTES = 2 ** 20

/** The position `count` characters after `from`; -1 when the text ends before. */
const skip = (text: Uint8Array, from: number, count: number, ascii: boolean): number => {
  if (ascii) return from + count <= text.length ? from + count : -1
  let at = from
  for (let left = count; left > 0; left--) {
    if (at >= text.length) return -1
    const lead = text[at] ?? 0
    at += lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
  }
  return at
}

const textColumnOf = (windows: readonly Uint8Array[], bytes: number): Column => {
  const values = new Uint8Array(bytes)
  const offsets = new Int32Array(windows.length + 1)
  let at = 0
  for (const [row, window] of windows.entries()) {
    values.set(window, at)
    at += window.length
    offsets[row + 1] = at
  }
  return { type: { name: "TEXT" }, length: windows.length, values, offsets }
}

/**
 * TEXT columns of windows of `size` characters, each beginning `size - overlap` after the one before; only the last
 * one is shorter. There is no window that holds nothing but overlap: as many characters as `size` are one window.
 * `pieces` are valid UTF-8, cut between characters.
 */
export async function* textWindows(
  pieces: AsyncIterable<Piece>,
  size: number,
  overlap: number,
): AsyncGenerator<Column> {
  const step = size - overlap
  let windows: Uint8Array[] = []
  let bytes = 0
  // From the start of the next window on; the first `covered` bytes of it are in the window before as well.
  let text: Uint8Array = new Uint8Array(0)
  let covered = 0
  let first = true
  for await (const piece of pieces) {
    text = text.length === 0 ? piece.bytes : Buffer.concat([text, piece.bytes])
    const ascii = isAscii(text)
    let start = 0
    for (;;) {
      let end = skip(text, covered, first ? size : step, ascii)
      if (end < 0 && piece.last && text.length > covered) end = text.length
      if (end < 0) break
      windows.push(text.subarray(start, end))
      bytes += end - start
      start = skip(text, start, step, ascii)
      covered = end
      first = false
      if (windows.length >= BATCH_ROWS || bytes >= BATCH_BYTES) {
        yield textColumnOf(windows, bytes)
        windows = []
        bytes = 0
      }
    }
    if (windows.length > 0) yield textColumnOf(windows, bytes)
    windows = []
    bytes = 0
    if (!piece.last) {
      text = text.subarray(start)
      covered -= start
    }
  }
}
