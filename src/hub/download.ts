/**
 * One file of the Hub onto this disk: streamed, never held whole; goes on where it was cut, in this process or an
 * earlier one; and is what the listing said, or is not kept.
 */
import { createHash, type Hash } from "node:crypto"
import { type FileHandle, open } from "node:fs/promises"
import { IngestError } from "../model/errors.ts"
import type { Hub, HubFile, Revision } from "./client.ts"
import type { Answer } from "./http.ts"
import { Passing, retried } from "./retry.ts"

/** A try that brought this much has not failed: the next one is the first again. */
const PROGRESS = 1 << 20
const READ_BYTES = 1 << 20

const hashOf = ({ digest, size }: HubFile): Hash =>
  digest === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`)

interface Part {
  offset: number
  hash: Hash
  etag: string | undefined
}

/** Takes in what is there of an earlier download. */
const takeIn = async (handle: FileHandle, file: HubFile): Promise<Part> => {
  const { size } = await handle.stat()
  const part: Part = { offset: 0, hash: hashOf(file), etag: undefined }
  if (size > file.size) await handle.truncate(0)
  else {
    const buffer = new Uint8Array(READ_BYTES)
    while (part.offset < size) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, part.offset)
      if (bytesRead === 0) break
      part.hash.update(buffer.subarray(0, bytesRead))
      part.offset += bytesRead
    }
  }
  return part
}

const restart = async (handle: FileHandle, file: HubFile, part: Part): Promise<void> => {
  await handle.truncate(0)
  part.offset = 0
  part.hash = hashOf(file)
}

/** What the answer is a part of: its offset and the size of the whole. */
const rangeOf = ({ response }: Answer): { readonly start: number; readonly total: number | undefined } => {
  if (response.status !== 206) return { start: 0, total: undefined }
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get("content-range") ?? "") ?? []
  return { start: Number(start ?? -1), total: total === undefined ? undefined : Number(total) }
}

/**
 * Downloads the file to `target`; what is there already is taken for its beginning.
 *
 * @throws {IngestError} when the bytes are not those of the listing. `target` may then hold anything.
 * @throws {IngestError} caused by {@link Passing}, when it is given up; `target` keeps what has come.
 */
export const download = async (
  hub: Hub,
  at: Revision,
  file: HubFile,
  target: string,
  signal: AbortSignal,
): Promise<void> => {
  // Neither `r+` (must exist) nor `w+` (truncates) will do.
  const handle = await open(target, "a").then(async (made) => {
    await made.close()
    return open(target, "r+")
  })
  try {
    const part = await takeIn(handle, file)
    let pieces = part.offset > 0 ? 1 : 0
    const fetchRest = async (progressed: () => void): Promise<void> => {
      if (part.offset === file.size) return
      const range = { offset: part.offset, ...(part.etag !== undefined && { etag: part.etag }) }
      const answer = await hub.open(at, file.path, range, signal)
      const { start, total } = rangeOf(answer)
      if (total !== undefined && total !== file.size) {
        await answer.discard()
        throw new IngestError(`${file.path}: expected ${file.size} bytes, as the Hub lists it, found ${total}`)
      }
      // All of it instead of the rest: ranges are not known there, or the file is another one now.
      if (start !== part.offset) await restart(handle, file, part)
      if (start > 0 && part.offset === 0) throw new Passing(`${file.path}: asked for another range than was given`)
      part.etag = answer.response.headers.get("etag") ?? undefined
      pieces++
      const begun = part.offset
      let announced = false
      for await (const bytes of answer.body()) {
        if (part.offset + bytes.length > file.size) {
          throw new IngestError(`${file.path}: expected ${file.size} bytes, as the Hub lists it, found more`)
        }
        await handle.write(bytes, 0, bytes.length, part.offset)
        part.hash.update(bytes)
        part.offset += bytes.length
        if (!announced && part.offset - begun >= PROGRESS) {
          announced = true
          progressed()
        }
      }
      if (part.offset < file.size) {
        throw new Passing(`${file.path}: the connection ended after ${part.offset} of ${file.size} bytes`)
      }
    }
    for (;;) {
      await retried(fetchRest, hub.retry, signal)
      if (part.hash.digest("hex") === file.oid) return
      await restart(handle, file, part)
      // A beginning that was not of this file spoils the rest: once more, in one piece.
      if (pieces <= 1) {
        throw new IngestError(
          `${file.path}: what the Hub sends is not what it lists (${file.digest} ${file.oid}); the file is damaged there, or on the way`,
        )
      }
      pieces = 0
    }
  } finally {
    await handle.close()
  }
}
