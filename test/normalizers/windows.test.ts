import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { type Column, valueAt } from "../../src/model/column.ts"
import { textWindows } from "../../src/normalizers/windows.ts"

const encoder = new TextEncoder()

/** The windows of a text that arrives in the given parts. */
const windowsOf = async (parts: readonly string[], size: number, overlap: number): Promise<string[]> => {
  const pieces = async function* () {
    for (const [at, part] of parts.entries()) yield { bytes: encoder.encode(part), last: at === parts.length - 1 }
  }
  const columns: Column[] = []
  for await (const column of textWindows(pieces(), size, overlap)) columns.push(column)
  return columns.flatMap((column) => Array.from({ length: column.length }, (_, row) => String(valueAt(column, row))))
}

describe("textWindows", () => {
  it.each([
    ["", []],
    ["abcde", ["abcde"]],
    ["abcdef", ["abcde", "def"]],
    ["abcdefgh", ["abcde", "defgh"]],
    ["abcdefghi", ["abcde", "defgh", "ghi"]],
    ["a🙂b🙂c🙂", ["a🙂b🙂c", "🙂c🙂"]],
  ])("cuts %j", async (text, expected) => {
    expect(await windowsOf([text], 5, 2)).toEqual(expected)
  })

  it("takes a text of exactly the window's size as one", async () => {
    expect(await windowsOf(["x".repeat(1000)], 1000, 200)).toHaveLength(1)
    const two = await windowsOf(["ä".repeat(1001)], 1000, 200)
    expect(two.map((window) => window.length)).toEqual([1000, 201])
  })

  it("gives the text back, whatever it is and however it arrives", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 40 }), { minLength: 1, maxLength: 6 })
    const sizes = fc
      .integer({ min: 1, max: 20 })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })))
    await fc.assert(
      fc.asyncProperty(texts, sizes, async (parts, [size, overlap]) => {
        const windows = (await windowsOf(parts, size, overlap)).map((window) => [...window])
        const rest = windows.flatMap((window, at) => (at === 0 ? window : window.slice(overlap)))
        expect(rest.join("")).toBe(parts.join(""))
        for (const [at, window] of windows.entries()) {
          if (at < windows.length - 1) expect(window).toHaveLength(size)
          else expect(window.length).toBeLessThanOrEqual(size)
          // What a window begins with is what the one before ends with, and it has something of its own.
          if (at > 0) {
            expect(window.length).toBeGreaterThan(overlap)
            expect(window.slice(0, overlap)).toEqual(windows[at - 1]?.slice(size - overlap))
          }
        }
      }),
      { numRuns: 300 },
    )
  })
})
