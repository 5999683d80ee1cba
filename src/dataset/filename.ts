/** Names of files for what a row holds. Item names and contents are anybody's: nothing of them may act as a path. */
import { type Hash64, HashMap, HashSet, hash64 } from "../model/hash-set.ts"
import type { TypeName } from "../model/types.ts"

/** File systems allow 255 bytes; the row, a number against collisions and the extension need some of them. */
const MAX_STEM_BYTES = 200

/** Separators, wildcards and reserved characters of any system; control, format and half characters; line breaks. */
const UNSAFE = /[/\\:*?"<>|\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** The end of the text, which tells more of a path than its beginning. */
const lastBytes = (text: string): string => {
  const bytes = Buffer.from(text)
  let start = Math.max(0, bytes.length - MAX_STEM_BYTES)
  // Bytes 10xxxxxx go on with a character.
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.toString("utf8", start)
}

/** An item's name as part of a file name: no separators, no `..`, nothing in front that hides it or makes it an option. */
export const safeName = (item: string): string =>
  lastBytes(item.replace(UNSAFE, "_").replace(/\.{2,}/g, "_")).replace(/^[\s.-]/, "_") || "_"

/** Names that are all different, also where the file system does not tell upper from lower case. */
export const uniqueNames = (): ((stem: string, extension: string) => string) => {
  const taken = new HashSet()
  /** The highest number that a name was given; counting from 1 again for each of many would take forever. */
  const numbers = new HashMap()
  const keyOf = (name: string): Hash64 => hash64(name.normalize("NFC").toLowerCase())
  return (stem, extension) => {
    const plain = `${stem}.${extension}`
    const key = keyOf(plain)
    if (taken.add(key)) return plain
    for (let number = (numbers.get(key)?.low ?? 1) + 1; ; number++) {
      const name = `${stem}-${number}.${extension}`
      if (!taken.add(keyOf(name))) continue
      numbers.set(key, { high: 0, low: number })
      return name
    }
  }
}

/** A file's first bytes tell its kind. */
const HEAD_BYTES = 64 << 10

/** The extension, without the dot, for the bytes of a column of the given type; `bin` where they are nothing known. */
export const extensionOf = async (type: TypeName, bytes: Uint8Array): Promise<string> => {
  const { fileTypeFromBuffer } = await import("file-type")
  const head = bytes.subarray(0, HEAD_BYTES)
  const found = (await fileTypeFromBuffer(head))?.ext
  if (type === "IMAGE" && (found === undefined || found === "xml") && /<svg[\s>]/.test(Buffer.from(head).toString())) {
    return "svg"
  }
  return found ?? "bin"
}
