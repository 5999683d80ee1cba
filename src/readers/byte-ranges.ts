/** Stretches of a text file, read one by one where somebody has noted where they are. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { fileVersion } from "../media/file-version.ts"
import { FatalError } from "../model/errors.ts"

/** A file, and its fingerprint (see `fileVersion`) when the stretches were noted. Plain data, for payloads of items. */
export type NotedFile = {
  readonly path: string
  readonly version: string
}

/**
 * The places that were noted are void, for all items alike. As failures of items they would be known by the versions
 * that the items still have when the run is started again, and would not be tried again.
 */
const changed = (path: string, cause?: unknown): FatalError =>
  new FatalError(`${path}: the file changed or went while it was in use; run again to take it as it is now`, { cause })

const openNoted = (path: string): number => {
  try {
    return openSync(path, "r")
  } catch (error) {
    throw changed(path, error)
  }
}

/**
 * The texts at `ranges`: start, end, start, end, ... in bytes. Reads are synchronous: see `itemfile.ts`.
 *
 * @throws {FatalError} when the file is another one by now, or gone: the run stops, and the next one reads it anew.
 */
export const readTexts = ({ path, version }: NotedFile, ranges: readonly number[]): readonly string[] => {
  if (ranges.length === 0) return []
  const descriptor = openNoted(path)
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
