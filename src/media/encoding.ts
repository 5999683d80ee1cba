/**
 * Text in any encoding as UTF-8 bytes. The encoding is that of the byte order mark; else UTF-16 or UTF-32 where the
 * zero bytes lie as they do in these; else UTF-8 where the bytes are valid UTF-8; else what `chardet` thinks most
 * likely. Valid UTF-8, which nearly all text is, passes through without being copied.
 */
import { isUtf8 } from "node:buffer"
import type { Piece } from "./itemfile.ts"

const encoder = new TextEncoder()

/** U+FFFD: stands for what could not be decoded. */
const REPLACEMENT = 0xfffd

interface Encoding {
  readonly name: string
  /** Bytes of the byte order mark. */
  readonly mark: number
}

/** Bytes of a text that `chardet` is shown, before and from the first that is not ASCII. */
const CONTEXT = 256
const SAMPLE = 64 * 1024
/** Zero bytes are looked at in the first bytes only. */
const HEAD = 4100

const MARKS: readonly (readonly [string, readonly number[]])[] = [
  // Before UTF-16, whose mark is the beginning of this one.
  ["utf-32le", [0xff, 0xfe, 0, 0]],
  ["utf-32be", [0, 0, 0xfe, 0xff]],
  ["utf-8", [0xef, 0xbb, 0xbf]],
  ["utf-16le", [0xff, 0xfe]],
  ["utf-16be", [0xfe, 0xff]],
]

/** In most texts the high byte of many UTF-16 units is zero, the low byte of none; UTF-32 ends (or begins) with zeros. */
const wideByZeros = (head: Uint8Array): string | undefined => {
  const quads = head.length >>> 2
  const zeros: [number, number, number, number] = [0, 0, 0, 0]
  for (let at = 0; at < quads * 4; at++) if (head[at] === 0) zeros[(at & 3) as 0 | 1 | 2 | 3]++
  const [first, second, third, fourth] = zeros
  if (quads > 0 && fourth === quads && third > quads * 0.9 && first < quads * 0.5) return "utf-32le"
  if (quads > 0 && first === quads && second > quads * 0.9 && fourth < quads * 0.5) return "utf-32be"
  if (first + third === 0 && second + fourth > quads * 0.1) return "utf-16le"
  return second + fourth === 0 && first + third > quads * 0.1 ? "utf-16be" : undefined
}

/** The encoding that marks or zero bytes show; undefined: one with 8-bit units, or no text. */
const shownEncoding = (head: Uint8Array): Encoding | undefined => {
  for (const [name, mark] of MARKS) {
    if (mark.every((byte, at) => head[at] === byte)) return { name, mark: mark.length }
  }
  const wide = head.includes(0) ? wideByZeros(head) : undefined
  return wide === undefined ? undefined : { name: wide, mark: 0 }
}

/** Whether the first bytes of a file are those of no text: they hold zero bytes, and not as UTF-16 or UTF-32 would. */
export const isBinary = (bytes: Uint8Array): boolean => {
  const head = bytes.subarray(0, HEAD)
  return head.includes(0) && shownEncoding(head) === undefined
}

/** Where the last complete character of UTF-8 ends: the next piece has the rest of what follows. */
const completeEnd = (bytes: Uint8Array): number => {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte < 0xc0) continue
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

/** What `chardet` thinks; windows-1252 where it has no more than a guess (10 of 100), or names what cannot be decoded. */
const likelyEncoding = async (bytes: Uint8Array): Promise<string> => {
  const { analyse } = await import("chardet")
  const start = bytes.findIndex((byte) => byte >= 0x80)
  for (const { name, confidence } of analyse(bytes.subarray(Math.max(0, start - CONTEXT), start + SAMPLE))) {
    if (confidence <= 10) break
    try {
      return new TextDecoder(name).encoding
    } catch {
      // Not one of the encodings of the web: the next guess may be.
    }
  }
  return "windows-1252"
}

const encodingOf = async ({ bytes, last }: Piece): Promise<Encoding> => {
  const shown = shownEncoding(bytes.subarray(0, HEAD))
  if (shown) return shown
  const valid = isUtf8(last ? bytes : bytes.subarray(0, completeEnd(bytes)))
  return { name: valid ? "utf-8" : await likelyEncoding(bytes), mark: 0 }
}

/** TextDecoder does not know UTF-32. `bytes` begin at a character. */
const decodeUtf32 = (bytes: Uint8Array, little: boolean): string => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let text = ""
  for (let at = 0; at < bytes.length; at += 4) {
    const point = at + 4 <= bytes.length ? view.getUint32(at, little) : REPLACEMENT
    const valid = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff)
    text += String.fromCodePoint(valid ? point : REPLACEMENT)
  }
  return text
}

/** Turns one piece after the other into text, or into UTF-8 where that is no work. */
type Convert = (piece: Piece) => string | Uint8Array

const checkUtf8 = (): Convert => {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  let left: Uint8Array = new Uint8Array(0)
  return ({ bytes, last }) => {
    const joined = left.length === 0 ? bytes : Buffer.concat([left, bytes])
    const end = last ? joined.length : completeEnd(joined)
    left = joined.slice(end)
    const complete = joined.subarray(0, end)
    return isUtf8(complete) ? complete : decoder.decode(complete)
  }
}

const converter = (encoding: string): Convert => {
  if (encoding === "utf-8") return checkUtf8()
  if (encoding.startsWith("utf-32")) return ({ bytes }) => decodeUtf32(bytes, encoding === "utf-32le")
  const decoder = new TextDecoder(encoding, { ignoreBOM: true })
  return ({ bytes, last }) => decoder.decode(bytes, { stream: !last })
}

/**
 * The pieces of a text in UTF-8, without byte order mark, cut between characters. The first piece decides which
 * encoding they are in. Bytes that mean nothing in it become U+FFFD; `onReplaced` is told once, with the encoding.
 */
export async function* utf8Pieces(
  pieces: Iterable<Piece>,
  onReplaced: (encoding: string) => void,
): AsyncGenerator<Piece> {
  let name = ""
  let convert: Convert | undefined
  let replaced = false
  for (const piece of pieces) {
    let { bytes } = piece
    if (!convert) {
      const encoding = await encodingOf(piece)
      name = encoding.name
      convert = converter(name)
      bytes = bytes.subarray(encoding.mark)
    }
    const text = convert({ bytes, last: piece.last })
    if (typeof text === "string" && !replaced && text.includes("\ufffd")) {
      replaced = true
      onReplaced(name)
    }
    yield { bytes: typeof text === "string" ? encoder.encode(text) : text, last: piece.last }
  }
}
