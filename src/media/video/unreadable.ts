/**
 * Says why a file cannot be opened as a video. FFmpeg answers "Invalid data found when processing input" to an empty
 * file, to a text and to a recording that lost its index alike; whoever has to repair the file needs to know which.
 */
import { open } from "node:fs/promises"
import { IngestError } from "../../model/errors.ts"

const HEAD = 4096
/** More top-level boxes than any player writes; a crafted file could have one every eight bytes. */
const MAX_BOXES = 10_000

interface Source {
  readonly read: (position: number, length: number) => Promise<Buffer>
  readonly size: number
}

const isMp4 = (head: Buffer): boolean => /^(ftyp|moov|mdat|wide|free|skip|pnot)$/.test(head.toString("latin1", 4, 8))
const isMatroska = (head: Buffer): boolean => head.length >= 4 && head.readUInt32BE(0) === 0x1a45dfa3
const isAvi = (head: Buffer): boolean =>
  head.toString("latin1", 0, 4) === "RIFF" && head.toString("latin1", 8, 11) === "AVI"

/** The lengths of boxes stand before their names: ISO/IEC 14496-12, 4.2. */
const mp4Problem = async ({ read, size }: Source): Promise<string> => {
  const names: string[] = []
  for (let at = 0; at + 8 <= size && names.length < MAX_BOXES; ) {
    const header = await read(at, 16)
    const name = header.toString("latin1", 4, 8)
    if (!/^[\x20-\x7e]{4}$/.test(name)) break
    const short = header.readUInt32BE(0)
    const length =
      short === 1 && header.length === 16 ? Number(header.readBigUInt64BE(8)) : short === 0 ? size - at : short
    names.push(name)
    if (name === "moov") {
      return at + length > size
        ? `its index (the "moov" box) is cut off: ${length} bytes are declared at ${at}, the file ends at ${size}`
        : `its index (the "moov" box) is damaged`
    }
    if (length < 8) break
    at += length
  }
  return (
    `it has no index (no "moov" box; found: ${names.slice(0, 8).join(", ")}): ` +
    "the file was cut off, or its recording was never finished"
  )
}

const problem = async (source: Source): Promise<string> => {
  if (source.size === 0) return "the file is empty (0 bytes)"
  const head = await source.read(0, HEAD)
  if (isMp4(head)) return `this MP4 or MOV file cannot be read: ${await mp4Problem(source)}`
  const container = isMatroska(head) ? "Matroska or WebM" : isAvi(head) ? "AVI" : undefined
  if (container)
    return `this ${container} file cannot be read: its header is damaged or cut off (${source.size} bytes in all)`
  const start = JSON.stringify(head.toString("latin1", 0, 16))
  return (
    "the content is no video in a container that can be read (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, ASF, Ogg); " +
    `the file starts with ${start}: check that it is whole and that its extension is right`
  )
}

/** The error for a file that FFmpeg would not open; `cause` is what it said. */
export const unreadable = async (path: string, cause: string): Promise<IngestError> => {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const read = async (position: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    return new IngestError(`${await problem({ read, size })} [${cause}]`)
  } finally {
    await file.close()
  }
}
