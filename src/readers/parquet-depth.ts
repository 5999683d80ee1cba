/**
 * How deep the columns of a Parquet file are nested, by its footer. DuckDB follows them by recursion, and a file that
 * has some ten thousand levels ends the process (measured: 2,000 do not, 20,000 do), so this is looked at before.
 *
 * The footer is one struct in Thrift's compact protocol
 * (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).
 */

const LIST = 9
const SET = 10
const MAP = 11
const STRUCT = 12

/** Thrift's own readers give up here. */
const MOST_NESTED = 64

/** Fields of `FileMetaData` and `SchemaElement` (https://github.com/apache/parquet-format, parquet.thrift). */
const SCHEMA = 2
const NUM_CHILDREN = 5

/** Reads values one after the other. What it cannot read is a RangeError. */
class Reader {
  #at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError("the footer ends inside of a value")
    return byte
  }

  varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  /** The fields of a struct; whoever takes one reads its value, or skips it. */
  *fields(): Generator<{ readonly id: number; readonly type: number }> {
    let id = 0
    for (let header = this.byte(); header !== 0; header = this.byte()) {
      const step = header >>> 4
      const given = step === 0 ? this.varint() : 0
      id = step === 0 ? (given % 2 === 0 ? given / 2 : -(given + 1) / 2) : id + step
      yield { id, type: header & 15 }
    }
  }

  /** How many values a list has, and of what type. */
  list(): { readonly count: number; readonly type: number } {
    const header = this.byte()
    const short = header >>> 4
    return { count: short === 15 ? this.varint() : short, type: header & 15 }
  }

  skip(type: number, nested = 0): void {
    if (nested > MOST_NESTED) throw new RangeError("the footer is nested too deep")
    if (type === STRUCT) {
      for (const field of this.fields()) if (field.type > 2) this.skip(field.type, nested + 1)
    } else if (type === LIST || type === SET) {
      const values = this.list()
      for (let left = values.count; left > 0; left--) this.skip(values.type, nested + 1)
    } else if (type === MAP) {
      const count = this.varint()
      const types = count > 0 ? this.byte() : 0
      for (let left = count; left > 0; left--) {
        this.skip(types >>> 4, nested + 1)
        this.skip(types & 15, nested + 1)
      }
    } else if (type <= 3) this.#at += 1
    else if (type <= 6) this.varint()
    else if (type === 7) this.#at += 8
    else if (type === 8) {
      const length = this.varint()
      this.#at += length
    } else throw new RangeError(`there is no type ${type}`)
    if (this.#at > this.#bytes.length) throw new RangeError("the footer ends inside of a value")
  }
}

/** The schema is a tree, written root first: each element says how many of those that follow are below it. */
const schemaDepth = (reader: Reader): number => {
  /** Of the elements that are open, how many children are still to come. */
  const open: number[] = []
  let deepest = 0
  for (let left = reader.list().count; left > 0; left--) {
    let children = 0
    for (const { id, type } of reader.fields()) {
      if (id === NUM_CHILDREN) children = reader.varint() / 2
      else if (type > 2) reader.skip(type)
    }
    while (open.at(-1) === 0) open.pop()
    const parent = open.length - 1
    if (parent >= 0) open[parent] = (open[parent] ?? 0) - 1
    if (children > 0) open.push(children)
    deepest = Math.max(deepest, open.length)
  }
  return deepest
}

/** The levels of the deepest column; 0 where the footer is damaged: then DuckDB says so. */
export const parquetDepth = (footer: Uint8Array): number => {
  const reader = new Reader(footer)
  let deepest = 0
  try {
    for (const { id, type } of reader.fields()) {
      if (id === SCHEMA && type === LIST) deepest = Math.max(deepest, schemaDepth(reader))
      else if (type > 2) reader.skip(type)
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  return deepest
}
