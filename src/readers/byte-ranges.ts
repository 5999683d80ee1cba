/** Stretches of a text file, read one by one where somebody has noted where they are. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { fileVersion } from "../media/file-version.ts"
import { IngestError } from "../model/errors.ts"

/** A file, and its fingerprint (see `fileVersion`) when the stretches were noted. Plain data, for payloads of items. */
export type NotedFile = {
  readonly path: string
  readonly version: string
}

const changed = (path: string): IngestError =>
  new IngestError(`${path}: the file changed since it was listed; run again to take it as it is now`)

/**
 * The texts at `ranges`: start, end, start, end, ... in bytes. Reads are synchronous: see `itemfile.ts`.
 *
 * @throws {IngestError} when the file has changed since.
 */
export const readTexts = ({ path, version }: NotedFile, ranges: readonly number[]): readonly string[] => {
  if (ranges.length === 0) return []
  const descriptor = openSync(path, "r")
  try {
    if (fileVersion(fstatSync(descriptor)) !== version) throw changed(path)
    const texts: string[] = []
    for (let at = 0; at < ranges.length; at += 2) {
      const start = ranges[at] ?? 0
      const bytes = Buffer.allocUnsafe((ranges[at + 1] ?? 0) - start)
      if (readSync(descriptor, bytes, 0, bytes.length, start) < bytes.length) throw changed(path)
      texts.push(bytes.toString())
    }
    return texts
  } finally {
    closeSync(descriptor)
  }
}
