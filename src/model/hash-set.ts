/**
 * Sets and maps of millions of names, in the memory of two typed arrays: a name is kept as a 64-bit hash only.
 *
 * Among n different names two share a hash with odds of about n²/2^65: 7 in 10 million for 5 million names, 3 in 100
 * million for 1 million. The hash is fast and well spread, but not made against people who choose names to collide.
 */

/** 64 bits as two signed 32-bit numbers, which JavaScript handles several times faster than a bigint. */
export interface Hash64 {
  readonly high: number
  readonly low: number
}

/**
 * A 64-bit hash of the text's UTF-16 units, the same in every process. Two lanes of multiply and rotate, then the
 * finalizer of MurmurHash3 with the lanes crossed, so that each bit of the text reaches all 64.
 */
export const hash64 = (text: string): Hash64 => {
  let high = text.length ^ 0x9e3779b9
  let low = text.length ^ 0x7f4a7c15
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x85ebca77)
    high = (high << 13) | (high >>> 19)
    low = Math.imul(low ^ unit, 0xc2b2ae3d)
    low = (low << 17) | (low >>> 15)
  }
  return finish(high, low)
}

/** The finalizer. */
const finish = (high: number, low: number): Hash64 => {
  const mixed = Math.imul(high ^ (high >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)
  const lower = Math.imul(low ^ (low >>> 16), 0x85ebca6b) ^ Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return { high: Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) ^ lower, low: lower }
}

/**
 * The {@link hash64} of the text that stands in the bytes as UTF-8, without making a string of it. Undefined when it is
 * not all ASCII: then the caller has to make the string.
 */
export const hashAscii = (bytes: Uint8Array, start: number, end: number): Hash64 | undefined => {
  let high = (end - start) ^ 0x9e3779b9
  let low = (end - start) ^ 0x7f4a7c15
  for (let i = start; i < end; i++) {
    const unit = bytes[i] ?? 0
    if (unit > 0x7f) return undefined
    high = Math.imul(high ^ unit, 0x85ebca77)
    high = (high << 13) | (high >>> 19)
    low = Math.imul(low ^ unit, 0xc2b2ae3d)
    low = (low << 17) | (low >>> 15)
  }
  return finish(high, low)
}

const FIRST_CAPACITY = 1024
/** With linear probing, up to here about 3 slots are looked at for a key that is there, 9 for one that is not. */
const MAX_LOAD = 0.75
/** Less than doubling, so that a table that has just grown is not half empty. */
const GROWTH = 1.5

/**
 * Open addressing with linear probing over slots of `width` 32-bit words, of which the first two are the key; 0, 0 is
 * an empty slot. A key belongs where its upper half, scaled to the capacity, says; so growing goes through the old and
 * the new slots from one end to the other, and not at random.
 */
class Table {
  readonly #width: number
  #capacity = FIRST_CAPACITY
  slots: Int32Array
  size = 0

  constructor(width: number) {
    this.#width = width
    this.slots = new Int32Array(FIRST_CAPACITY * width)
  }

  /** Position in `slots` of the key, or of the empty slot where it belongs. */
  find({ high, low }: Hash64): number {
    const slots = this.slots
    let at = Math.floor(((high >>> 0) / 2 ** 32) * this.#capacity) * this.#width
    for (;;) {
      const slotHigh = slots[at]
      const slotLow = slots[at + 1]
      if (slotHigh === high && slotLow === low) return at
      if (slotHigh === 0 && slotLow === 0) return at
      at += this.#width
      if (at === slots.length) at = 0
    }
  }

  isEmpty(at: number): boolean {
    return this.slots[at] === 0 && this.slots[at + 1] === 0
  }

  /** Puts a new key at the position that `find` gave; positions found before are void afterwards. */
  insert(at: number, { high, low }: Hash64, value?: Hash64): void {
    this.slots[at] = high
    this.slots[at + 1] = low
    if (value) this.write(at, value)
    this.size++
    if (this.size > this.#capacity * MAX_LOAD) this.#grow()
  }

  write(at: number, value: Hash64): void {
    this.slots[at + 2] = value.high
    this.slots[at + 3] = value.low
  }

  read(at: number): Hash64 {
    return { high: this.slots[at + 2] ?? 0, low: this.slots[at + 3] ?? 0 }
  }

  #grow(): void {
    const old = this.slots
    const width = this.#width
    this.#capacity = Math.ceil(this.#capacity * GROWTH)
    this.slots = new Int32Array(this.#capacity * width)
    for (let from = 0; from < old.length; from += width) {
      const high = old[from] ?? 0
      const low = old[from + 1] ?? 0
      if (high === 0 && low === 0) continue
      const to = this.find({ high, low })
      for (let word = 0; word < width; word++) this.slots[to + word] = old[from + word] ?? 0
    }
  }
}

/** 0, 0 marks an empty slot, so that this one hash shares the key 0, 1. */
const keyOf = (hash: Hash64): Hash64 => (hash.high === 0 && hash.low === 0 ? { high: 0, low: 1 } : hash)

/** A set of hashes: 11 to 16 bytes an entry. */
export class HashSet {
  readonly #table = new Table(2)

  get size(): number {
    return this.#table.size
  }

  has(hash: Hash64): boolean {
    return !this.#table.isEmpty(this.#table.find(keyOf(hash)))
  }

  /** Adds the hash; false when it was there already. */
  add(hash: Hash64): boolean {
    const key = keyOf(hash)
    const at = this.#table.find(key)
    if (!this.#table.isEmpty(at)) return false
    this.#table.insert(at, key)
    return true
  }
}

/** A map from hashes to hashes: 22 to 32 bytes an entry. */
export class HashMap {
  readonly #table = new Table(4)

  get size(): number {
    return this.#table.size
  }

  get(hash: Hash64): Hash64 | undefined {
    const at = this.#table.find(keyOf(hash))
    return this.#table.isEmpty(at) ? undefined : this.#table.read(at)
  }

  /** Sets the hash's value, if it has none; false when it had one. */
  add(hash: Hash64, value: Hash64): boolean {
    const key = keyOf(hash)
    const at = this.#table.find(key)
    if (!this.#table.isEmpty(at)) return false
    this.#table.insert(at, key, value)
    return true
  }

  /** Sets the hash's value, in place of one that it had. */
  set(hash: Hash64, value: Hash64): void {
    const key = keyOf(hash)
    const at = this.#table.find(key)
    if (this.#table.isEmpty(at)) this.#table.insert(at, key, value)
    else this.#table.write(at, value)
  }
}
