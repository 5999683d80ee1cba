import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Hash64, HashMap, HashSet, hash64, hashAscii } from "../../src/model/hash-set.ts"

const lane = fc.oneof(fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31)), fc.integer())
const hash: fc.Arbitrary<Hash64> = fc.record({ high: lane, low: lane })
const keyOf = ({ high, low }: Hash64): string => `${high}:${low}`

/** 200,000 names of the kinds that data sets have, all different. */
const names = function* (): Generator<string> {
  for (let i = 0; i < 100_000; i++) {
    yield `frame_${String(i).padStart(6, "0")}.jpg`
    yield `${i % 256}/${i >>> 8}`
  }
}

describe("hash64", () => {
  it("is the same in every process", () => {
    expect(hash64("")).toEqual({ high: -193106965, low: -1404593304 })
    expect(hash64("docs/a.pdf")).toEqual({ high: -1930614571, low: 990195067 })
    expect(hash64("写真/😀.jpg")).toEqual({ high: 2055755829, low: 622183597 })
  })

  it("spreads names that hardly differ over all 64 bits", () => {
    const lanes = { high: new Set<number>(), low: new Set<number>(), middle: new Set<number>() }
    let count = 0
    for (const name of names()) {
      const { high, low } = hash64(name)
      lanes.high.add(high)
      lanes.low.add(low)
      lanes.middle.add((high << 16) | (low >>> 16))
      count++
    }
    // Of n random 32-bit numbers n²/2^33 are expected twice: 4.7 here; 20 or more have odds below one in a million.
    for (const lane of Object.values(lanes)) expect(count - lane.size).toBeLessThan(20)
  })

  it("tells apart texts that differ in order, length, case or a zero unit", () => {
    const texts = ["ab", "ba", "a", "aa", "A", "", "\0", "\0\0", "a\0", "é", "e\u0301", "\ud83d", "😀"]
    expect(new Set(texts.map((text) => keyOf(hash64(text)))).size).toBe(texts.length)
  })
})

describe("HashSet and HashMap", () => {
  it("behave as Set and Map do, with any key", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(hash, hash), { maxLength: 200 }), hash, (entries, other) => {
        const set = new HashSet()
        const map = new HashMap()
        const model = new Map<string, Hash64>()
        for (const [key, value] of entries) {
          // 0, 0 and 0, 1 are one key: the first marks an empty slot.
          const name = keyOf(key).replace(/^0:0$/, "0:1")
          expect(set.add(key)).toBe(!model.has(name))
          model.set(name, value)
          map.set(key, value)
        }
        expect([set.size, map.size]).toEqual([model.size, model.size])
        for (const key of [other, ...entries.map(([entry]) => entry)]) {
          const name = keyOf(key).replace(/^0:0$/, "0:1")
          expect(set.has(key)).toBe(model.has(name))
          expect(map.get(key)).toEqual(model.get(name))
        }
      }),
    )
  })

  it("keep every entry while they grow, also with all keys in one place", () => {
    const set = new HashSet()
    const map = new HashMap()
    for (const name of names()) map.set(hash64(name), hash64(`${name}!`))
    let wrong = 0
    for (const name of names()) {
      const value = map.get(hash64(name))
      if (!value || keyOf(value) !== keyOf(hash64(`${name}!`)) || map.get(hash64(`${name}?`))) wrong++
    }
    expect([map.size, wrong]).toEqual([200_000, 0])

    // The same upper half: they all belong in the last slot, and go round to the first ones.
    for (let low = 1; low <= 2000; low++) expect(set.add({ high: -1, low })).toBe(true)
    for (let low = 1; low <= 2000; low++) expect(set.has({ high: -1, low })).toBe(true)
    expect(set.has({ high: -1, low: 2001 })).toBe(false)
  })
})

it("hashes the bytes of a text as the text", () => {
  const hashOf = (text: string): Hash64 | undefined => {
    const bytes = new TextEncoder().encode(`--${text}--`)
    return hashAscii(bytes, 2, bytes.length - 2)
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary-ascii" }), (text) => {
      expect(hashOf(text)).toEqual(hash64(text))
    }),
  )
  expect(hashOf("ä")).toBeUndefined()
})
