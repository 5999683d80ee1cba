/** PNG files without a picture library: grey pictures are written, and any picture is checked to be whole. */
import { constants, crc32, deflateSync } from "node:zlib"
import { IngestError } from "../model/errors.ts"

const SIGNATURE = Buffer.from("89504e470d0a1a0a", "hex")

/**
 * Labels are flat areas, which runs alone describe well: 0.16 ms and 5.4 KB for 640 x 480 with 10 objects, against
 * 1.6 ms and 5.5 KB at zlib's own level, and 1.3 ms and 19 KB through sharp.
 */
const FLAT = { level: 1, strategy: constants.Z_RLE } as const

const chunk = (type: string, data: Uint8Array): Uint8Array => {
  const whole = Buffer.allocUnsafe(data.length + 12)
  whole.writeUInt32BE(data.length)
  whole.write(type, 4, "latin1")
  whole.set(data, 8)
  whole.writeUInt32BE(crc32(whole.subarray(4, data.length + 8)), data.length + 8)
  return whole
}

/**
 * A grey PNG of flat areas.
 *
 * @param lines the picture's rows from the top: a byte 0 (no filter), then the samples, of 16 bits with the higher
 * byte first.
 */
export const greyPng = (lines: Uint8Array, width: number, height: number, depth: 8 | 16): Uint8Array => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width)
  header.writeUInt32BE(height, 4)
  header[8] = depth
  const parts = [
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(lines, FLAT)),
    chunk("IEND", Buffer.alloc(0)),
  ]
  const png = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    png.set(part, at)
    at += part.length
  }
  return png
}

/**
 * The size of a PNG of which every byte is as it was written: each chunk up to the last one has the checksum that it
 * says (W3C PNG, 5.3). Nothing is decoded.
 *
 * @throws {IngestError} when it is no PNG, is cut off, or a checksum differs.
 */
export const checkPng = (bytes: Uint8Array): { readonly width: number; readonly height: number } => {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (data.length < 33 || !data.subarray(0, 8).equals(SIGNATURE)) {
    throw new IngestError(`Expected a PNG, found ${data.length} bytes that begin with ${data.toString("hex", 0, 8)}`)
  }
  for (let at = 8; ; ) {
    const next = at + 12 + (at + 12 <= data.length ? data.readUInt32BE(at) : 0)
    if (next > data.length)
      throw new IngestError(`Damaged PNG: cut off: it ends at byte ${data.length}, inside a chunk`)
    if (crc32(data.subarray(at + 4, next - 4)) !== data.readUInt32BE(next - 4)) {
      throw new IngestError(`Damaged PNG: the checksum of the chunk at byte ${at} does not fit its content`)
    }
    if (data.toString("latin1", at + 4, at + 8) === "IEND") break
    at = next
  }
  return { width: data.readUInt32BE(16), height: data.readUInt32BE(20) }
}
