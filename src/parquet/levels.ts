/**
 * Which rows are null, and where lists begin: repetition and definition levels, in Parquet's hybrid of runs and packed
 * bits (https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE).
 */
import { ByteWriter } from "./bytes.ts"

/** `count` entries of one level. Levels are at most 5 here, and so fit a byte. */
export interface Run {
  readonly level: number
  readonly count: number
}

/** A data page of version 1 has the length of the levels before them. */
const withLength = (levels: ByteWriter): readonly Uint8Array[] => {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, levels.written.length, true)
  return [head, levels.written]
}

export const runLevels = (runs: Iterable<Run>): readonly Uint8Array[] => {
  const out = new ByteWriter()
  for (const { level, count } of runs) {
    out.varint(count * 2)
    out.byte(level)
  }
  return withLength(out)
}

/** Levels 0 and 1, one bit each, least significant first: just as a column has its validity. */
export const bitLevels = (bits: Uint8Array, count: number): readonly Uint8Array[] => {
  const out = new ByteWriter()
  const groups = (count + 7) >>> 3
  out.varint(groups * 2 + 1)
  out.bytes(bits.subarray(0, groups))
  return withLength(out)
}
