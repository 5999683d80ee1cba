/**
 * Thrift's compact protocol, in which Parquet keeps its metadata: writing only, and only what Parquet needs
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */
import { ByteWriter } from "./bytes.ts"

/** A value that knows its type on the wire, and how it is written. */
export interface Thrift {
  readonly type: number
  readonly write: (out: ByteWriter) => void
}

/** A field of a struct. One without a value is left out. */
export type Field = readonly [id: number, value: Thrift | undefined]

const TYPES = { i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const

/** Lists up to this length have it in their first byte. */
const SHORT_LIST = 14
/** The step from one field's id to the next has four bits. */
const MAX_STEP = 15

const encoder = new TextEncoder()

/** Small numbers of either sign become short. */
const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

export const i32 = (value: number): Thrift => ({ type: TYPES.i32, write: (out) => out.varint(zigzag(value)) })

/** Sizes and offsets of files: up to 2^52. */
export const i64 = (value: number): Thrift => ({ type: TYPES.i64, write: (out) => out.varint(zigzag(value)) })

export const binary = (bytes: Uint8Array): Thrift => ({
  type: TYPES.binary,
  write: (out) => {
    out.varint(bytes.length)
    out.bytes(bytes)
  },
})

export const text = (value: string): Thrift => binary(encoder.encode(value))

/** Values of one type. */
export const list = (values: readonly Thrift[]): Thrift => ({
  type: TYPES.list,
  write: (out) => {
    const type = values[0]?.type ?? TYPES.struct
    if (values.length <= SHORT_LIST) out.byte((values.length << 4) | type)
    else {
      out.byte(0xf0 | type)
      out.varint(values.length)
    }
    for (const value of values) value.write(out)
  },
})

/** Fields in the order of their ids. A union is a struct of which one field is there. */
export const struct = (...fields: readonly Field[]): Thrift => ({
  type: TYPES.struct,
  write: (out) => {
    let last = 0
    for (const [id, value] of fields) {
      if (!value) continue
      const step = id - last
      if (step < 1 || step > MAX_STEP) throw new RangeError(`thrift: field ${id} cannot follow field ${last}`)
      out.byte((step << 4) | value.type)
      value.write(out)
      last = id
    }
    out.byte(0)
  },
})

export const encode = (value: Thrift): Uint8Array => {
  const out = new ByteWriter()
  value.write(out)
  return out.written
}
