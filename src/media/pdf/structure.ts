/** What the bytes of a file say before any engine reads it: whether it is a PDF, and whether its end is there. */
import { IngestError } from "../../model/errors.ts"

/** Readers accept bytes before the header, but not more (ISO 32000-1, 7.5.2, and Adobe's implementation notes). */
const HEADER_WITHIN = 1024

/** Trailing bytes are accepted too. PDFium looks for `startxref` in the last 4 KiB. */
const END_WITHIN = 8192

const END = /startxref\s+\d+\s+%%EOF/
const OBJECT = /\b\d+\s+\d+\s+obj\b/

const latin1 = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1", start, end)

/** How the bytes begin, as text where they are text. */
const beginning = (bytes: Uint8Array): string => {
  const first = latin1(bytes, 0, 24)
  if (/^[\t\n\r -~]+$/.test(first)) return JSON.stringify(first)
  return `the bytes ${Buffer.from(bytes.subarray(0, 8))
    .toString("hex")
    .replaceAll(/..(?=.)/g, "$& ")}`
}

/** @throws {IngestError} when the bytes are none or do not begin as a PDF does. */
export const checkHeader = (bytes: Uint8Array): void => {
  if (bytes.length === 0) throw new IngestError("Expected a PDF, found an empty file (0 bytes)")
  if (!latin1(bytes, 0, HEADER_WITHIN).includes("%PDF-")) {
    throw new IngestError(`Expected a PDF ("%PDF-" within the first 1,024 bytes), found ${beginning(bytes)}`)
  }
}

/**
 * Why the file must be taken for cut off; undefined when its end is there. A linearized file states its length at the
 * start (ISO 32000-1, F.2); every file ends with `startxref`, a position and `%%EOF` (7.5.5), and what follows that can
 * only be a change to it, with an end of its own (7.5.6).
 */
export const cutOff = (bytes: Uint8Array): string | undefined => {
  const [, stated] = /\/Linearized\b[^>]*?\/L\s+(\d+)/.exec(latin1(bytes, 0, HEADER_WITHIN)) ?? []
  if (Number(stated) > bytes.length) return `it says that it has ${stated} bytes and has ${bytes.length}`
  const parts = latin1(bytes, Math.max(0, bytes.length - END_WITHIN), bytes.length).split(END)
  if (parts.length === 1) return "its end is missing"
  return OBJECT.test(parts.at(-1) ?? "") ? "it ends in the middle of a change" : undefined
}
