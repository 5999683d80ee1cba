/** Bytes written one after the other, into an array that grows. */

const FIRST_CAPACITY = 256

export class ByteWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY)
  #end = 0

  /** What has been written: a view, which the next write may leave behind. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  byte(value: number): void {
    const at = this.#claim(1)
    this.#bytes[at] = value
  }

  bytes(values: Uint8Array): void {
    const at = this.#claim(values.length)
    this.#bytes.set(values, at)
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, the lowest first (unsigned LEB128). */
  varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.byte((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.byte(rest)
  }

  #claim(count: number): number {
    const at = this.#end
    this.#end += count
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#end, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    return at
  }
}
