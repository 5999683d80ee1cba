/** A column chunk: the pages of one leaf in one row group, kept until the group is written. */
import { promisify } from "node:util"
import { zstdCompress } from "node:zlib"
import { IngestError } from "../model/errors.ts"
import { type ColumnType, formatType, layoutOf } from "../model/types.ts"
import type { Page } from "./page.ts"
import type { Leaf } from "./schema.ts"
import { type Bounds, joinBounds } from "./statistics.ts"
import { binary, encode, i32, i64, list, struct, type Thrift, text } from "./thrift.ts"

const zstd = promisify(zstdCompress)

/** Told how much comes, zstd takes no more memory than that; small pages are done in a fifth of the time. */
const compress = (parts: readonly Uint8Array[], size: number): Promise<Uint8Array> =>
  // What cannot be compressed gets a little larger; all of it comes in one piece.
  zstd(Buffer.concat(parts, size), { pledgedSrcSize: size, chunkSize: Math.max(1024, size + (size >> 8) + 64) })

const DATA_PAGE = 0
const ENCODING = { PLAIN: 0, RLE: 3 } as const
const CODEC = { UNCOMPRESSED: 0, ZSTD: 6 } as const
/** FLOAT and DOUBLE of the physical types. */
const FLOAT = 4
const DOUBLE = 5
/** Sizes of pages are signed 32-bit numbers. */
const MAX_PAGE = 0x7fffffff

const sizeOf = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)

export class Chunk {
  readonly #leaf: Leaf
  readonly #type: ColumnType
  readonly #codec: number
  /** Headers and pages, in order. */
  readonly parts: Uint8Array[] = []
  #entries = 0
  #nulls = 0
  #bounds: Bounds | undefined
  /** Bytes before and after compression, headers included. */
  rawBytes = 0
  bytes = 0

  constructor(leaf: Leaf, type: ColumnType) {
    this.#leaf = leaf
    this.#type = type
    // Pictures and videos are compressed in themselves.
    this.#codec = layoutOf(type) === "bytes" ? CODEC.UNCOMPRESSED : CODEC.ZSTD
  }

  /** Calls must not overlap: pages stand in the order of calls. */
  async add({ entries, nulls, bounds, parts }: Page): Promise<void> {
    const raw = sizeOf(parts)
    if (raw > MAX_PAGE) {
      throw new IngestError(
        `Column ${JSON.stringify(this.#leaf.path[0])}: a value of ${formatType(this.#type)} has ${raw} bytes; Parquet holds at most 2 GiB`,
      )
    }
    const body = this.#codec === CODEC.ZSTD ? [await compress(parts, raw)] : parts
    const size = sizeOf(body)
    const header = encode(
      struct(
        [1, i32(DATA_PAGE)],
        [2, i32(raw)],
        [3, i32(size)],
        [5, struct([1, i32(entries)], [2, i32(ENCODING.PLAIN)], [3, i32(ENCODING.RLE)], [4, i32(ENCODING.RLE)])],
      ),
    )
    this.parts.push(header, ...body)
    this.#entries += entries
    this.#nulls += nulls
    this.#bounds = joinBounds(this.#bounds, bounds)
    this.rawBytes += header.length + raw
    this.bytes += header.length + size
  }

  /** What the footer says of it; `offset` is where its first page begins. */
  describe(offset: number): Thrift {
    const { min, max } = this.#bounds ?? {}
    const statistics = struct(
      [3, i64(this.#nulls)],
      // Both zeros count as one: the smallest is written as -0, the largest as 0.
      [5, max === undefined ? undefined : this.#plain(max === 0 ? 0 : max)],
      [6, min === undefined ? undefined : this.#plain(min === 0 ? -0 : min)],
    )
    const metadata = struct(
      [1, i32(this.#leaf.physical)],
      [2, list([i32(ENCODING.PLAIN), i32(ENCODING.RLE)])],
      [3, list(this.#leaf.path.map(text))],
      [4, i32(this.#codec)],
      [5, i64(this.#entries)],
      [6, i64(this.rawBytes)],
      [7, i64(this.bytes)],
      [9, i64(offset)],
      [12, statistics],
    )
    return struct([2, i64(0)], [3, metadata])
  }

  /** One number in PLAIN encoding. */
  #plain(value: number | bigint): Thrift {
    if (typeof value === "bigint") return binary(new Uint8Array(BigInt64Array.of(value).buffer))
    const { physical } = this.#leaf
    const values =
      physical === DOUBLE ? Float64Array.of(value) : physical === FLOAT ? Float32Array.of(value) : Int32Array.of(value)
    return binary(new Uint8Array(values.buffer))
  }
}
