/** Which normalizer a file goes to: its name proposes, its content decides. */
import { extname } from "node:path"
import { isBinary } from "../media/encoding.ts"
import type { Lane, Normalizer } from "../model/normalizer.ts"
import { other } from "./other.ts"

/** All signatures lie within the first bytes; looking at more takes time for nothing. */
const HEAD = 4100

/** Characters that no text in an 8-bit encoding has; every binary format has some of them early on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\0-\x06\x0e-\x1a\x1c-\x1f]/

/** The normalizer that the file's name asks for: the one with its extension, in any case; `other` when none has it. */
export const byExtension = (uri: string, normalizers: readonly Normalizer[]): Normalizer => {
  const extension = extname(uri).slice(1).toLowerCase()
  return normalizers.find(({ extensions }) => extensions.includes(extension)) ?? other
}

export interface Route {
  readonly normalizer: Normalizer
  readonly lane: Lane
}

/** The lane of a decoder for bytes that are not known to be of a format of its own, such as SVG: they may hang it. */
const unrecognised = (named: Normalizer): Route => {
  const decodes = named.mimes.length > 0
  return { normalizer: named, lane: decodes && named.lane === "thread" ? "process" : named.lane }
}

/**
 * The normalizer for a file that begins with `head` and whose name asks for `named`. The signature of a format that
 * one of them decodes wins over the name. A name of text with binary content goes to `other`. All else, empty files
 * too, stays with `named`, whose decoder says what is wrong.
 */
export const byContent = async (
  head: Uint8Array,
  named: Normalizer,
  normalizers: readonly Normalizer[],
): Promise<Route> => {
  if (head.length === 0) return { normalizer: named, lane: named.lane }
  const first = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, HEAD))
  const letters = first.toString("latin1")
  // Some signatures are two or three letters ("BM", "GIF") and begin texts as well; of texts, only PDF is a format.
  if (CONTROL.test(letters) || letters.startsWith("%PDF-")) {
    const { fileTypeFromBuffer } = await import("file-type")
    const mime = (await fileTypeFromBuffer(first))?.mime
    const normalizer = mime && normalizers.find(({ mimes }) => mimes.includes(mime))
    if (normalizer) return { normalizer, lane: normalizer.lane }
  }
  if (named.name === "text" && isBinary(first)) return { normalizer: other, lane: other.lane }
  return unrecognised(named)
}
