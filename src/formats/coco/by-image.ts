/**
 * Which annotations belong to which image, as places in their file: an index of numbers, so that a file of half a
 * gigabyte takes some 30 MB, and no image is looked for twice.
 */
import { crc32 } from "node:zlib"
import type { ByteRange } from "../../readers/json-arrays.ts"

/** The annotations of one image: a list through the index, in file order. */
interface Chain {
  first: number
  last: number
  bytes: number
  checksum: number
}

export class ByImage {
  readonly #chains = new Map<number, Chain>()
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  /** The next annotation of the same image; -1 is none. */
  readonly #next: number[] = []

  /** @param bytes the annotation itself, for the fingerprint. */
  add(imageId: number, { start, end }: ByteRange, bytes: Uint8Array): void {
    const index = this.#starts.length
    this.#starts.push(start)
    this.#ends.push(end)
    this.#next.push(-1)
    const chain = this.#chains.get(imageId)
    if (!chain) {
      this.#chains.set(imageId, { first: index, last: index, bytes: bytes.length, checksum: crc32(bytes) })
      return
    }
    this.#next[chain.last] = index
    chain.last = index
    chain.bytes += bytes.length
    chain.checksum = crc32(bytes, chain.checksum)
  }

  /** The images that have annotations. */
  get imageIds(): Iterable<number> {
    return this.#chains.keys()
  }

  /** Where the annotations of an image are: start, end, start, end, ..., in bytes, in file order. */
  ranges(imageId: number): readonly number[] {
    const ranges: number[] = []
    for (let index = this.#chains.get(imageId)?.first ?? -1; index >= 0; index = this.#next[index] ?? -1) {
      ranges.push(this.#starts[index] ?? 0, this.#ends[index] ?? 0)
    }
    return ranges
  }

  /** Another one when an annotation of the image changes, comes, goes, or moves before another. */
  fingerprint(imageId: number): string {
    const { bytes, checksum } = this.#chains.get(imageId) ?? { bytes: 0, checksum: 0 }
    return `${bytes.toString(36)}.${checksum.toString(36)}`
  }
}
