/** JSON that is one list of objects, as a line for each: the list may be larger than memory. */
import { randomUUID } from "node:crypto"
import { createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { pipeline } from "node:stream/promises"
import { IngestError, messageOf } from "../../model/errors.ts"
import { unpacked } from "../../readers/file.ts"

const firstCharacter = async (path: string): Promise<string> => {
  const stream = unpacked(path)
  try {
    for await (const bytes of stream) {
      const text = Buffer.from(bytes as Uint8Array)
        .toString("latin1")
        .replace(/^\u00ef\u00bb\u00bf/, "")
        .trimStart()
      if (text !== "") return text.charAt(0)
    }
    return ""
  } finally {
    stream.destroy()
  }
}

/**
 * The text of each element of the outermost list, byte by byte as it stands in the file, so that numbers keep their
 * digits: strings and depth are all that has to be known of JSON for that. The reader checks what is between.
 */
async function* elements(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const [quote, backslash, open, close, openList, closeList, comma, newline, carriage] = [...'"\\{}[],\n\r'].map(
    (char) => char.charCodeAt(0),
  )
  let depth = 0
  let inString = false
  let escaped = false
  for await (const bytes of source) {
    const out = new Uint8Array(bytes.length)
    let size = 0
    for (const byte of bytes) {
      let put = byte
      if (inString) {
        if (escaped) escaped = false
        else if (byte === backslash) escaped = true
        else if (byte === quote) inString = false
      } else if (byte === quote) inString = true
      else if (byte === open || byte === openList) {
        if (depth++ === 0) continue
      } else if (byte === close || byte === closeList) {
        if (--depth === 0) put = 10
      } else if (depth === 1 && byte === comma) put = newline ?? 10
      // A mark of byte order, and what else is outside of the list.
      else if (depth === 0) continue
      // Lines end only after elements; elsewhere they are space.
      else if (byte === newline || byte === carriage) put = 32
      out[size++] = put
    }
    yield out.subarray(0, size)
  }
  if (depth !== 0 || inString) throw new IngestError("the JSON ends in the middle of a list")
}

/** The path of a file with a JSON value a line: `path` itself, or a new one in `tempDir`. */
export const asLines = async (path: string, tempDir: string): Promise<string> => {
  if ((await firstCharacter(path)) !== "[") return path
  const target = join(tempDir, `${randomUUID()}.jsonl`)
  try {
    await pipeline(unpacked(path), elements, createWriteStream(target))
  } catch (error) {
    await rm(target, { force: true })
    throw new IngestError(messageOf(error), { cause: error })
  }
  return target
}
