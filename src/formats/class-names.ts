/** Names of classes in a text file. */
import { readFile, stat } from "node:fs/promises"
import { IngestError } from "../model/errors.ts"

/** Names are a page or two; something larger is something else. */
const MAX_BYTES = 1 << 20

/** @throws {IngestError} when the file is missing or too large for what it should be. */
export const readSmallText = async (path: string): Promise<string> => {
  const status = await stat(path).catch(() => undefined)
  if (!status?.isFile()) throw new IngestError(`File not found: ${path}`)
  if (status.size > MAX_BYTES) {
    throw new IngestError(`${path}: expected at most ${MAX_BYTES} bytes of text, found ${status.size}`)
  }
  return (await readFile(path, "utf8")).replace(/^\uFEFF/, "")
}

/**
 * One name a line; an empty line in between is a class without a name.
 *
 * @throws {IngestError} when the file is missing, too large, or has no names.
 */
export const readClassNames = async (path: string): Promise<readonly string[]> => {
  const lines = (await readSmallText(path)).split(/\r\n|\n|\r/).map((line) => line.trim())
  while (lines.at(-1) === "") lines.pop()
  if (lines.length === 0) throw new IngestError(`${path}: expected class names, one a line, found none`)
  return lines
}
