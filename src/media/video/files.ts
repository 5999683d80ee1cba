/** The files that segments are, for the moment between being written and being a row. */
import { readFileSync, rmSync, statSync } from "node:fs"
import { IngestError } from "../../model/errors.ts"

/** As FFmpeg calls them. */
export type Container = "mp4" | "mov" | "matroska" | "webm"

/** Containers for segments of a source in `format` (FFmpeg's name). The first that takes the codecs is used. */
export const containersFor = (format: string, path: string): readonly Container[] => {
  if (format.includes("mp4")) return ["mp4", "mov", "matroska"]
  return /\.webm$/i.test(path) && format.includes("webm") ? ["webm", "matroska"] : ["matroska"]
}

/**
 * Bytes of a complete segment; its file is deleted.
 *
 * @throws {IngestError} when it has more than `maxBytes`.
 */
export const takeBytes = (path: string, maxBytes: number): Uint8Array => {
  try {
    const { size } = statSync(path)
    if (size > maxBytes) {
      throw new IngestError(
        `a segment of the video has ${size} bytes, at most ${maxBytes} are allowed; set a shorter "segment"`,
      )
    }
    return readFileSync(path)
  } finally {
    rmSync(path, { force: true })
  }
}
