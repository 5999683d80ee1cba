import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { FatalError, IngestError } from "../../src/model/errors.ts"
import { readTexts } from "../../src/readers/byte-ranges.ts"
import { type ScanOptions, scanArrays } from "../../src/readers/json-arrays.ts"
import { tempFolder } from "../fixtures/temp.ts"

interface Seen {
  readonly elements: unknown[]
  /** Where they are: start, end, start, end, ... */
  readonly ranges: number[]
  /** Keys of the document, and the bytes of their values. */
  readonly values: Readonly<Record<string, unknown>>
}

/** What a scan of `list` sees; elements and values are read again where it says they are. */
const scan = async (path: string, options: ScanOptions = {}): Promise<Seen> => {
  const elements: unknown[] = []
  const ranges: number[] = []
  const list = (bytes: Buffer, { start, end }: { start: number; end: number }, index: number): void => {
    expect(index).toBe(elements.length)
    elements.push(JSON.parse(bytes.toString()))
    ranges.push(start, end)
  }
  const { version, values } = await scanArrays(path, { list }, options)
  const found = [...values].map(([key, { start, end }]) => [
    key,
    JSON.parse(readTexts({ path, version }, [start, end])[0] ?? ""),
  ])
  expect(readTexts({ path, version }, ranges).map((text) => JSON.parse(text))).toEqual(elements)
  return { elements, ranges, values: Object.fromEntries(found) }
}

describe("scanArrays", () => {
  it("sees what JSON.parse sees, however the document is written and wherever chunks end", async () => {
    const path = join(await tempFolder(), "a.json")
    const document = fc.record({
      before: fc.dictionary(
        fc.string().filter((key) => key !== "list" && key !== "__proto__"),
        fc.jsonValue({ maxDepth: 3 }),
        { maxKeys: 3 },
      ),
      list: fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 6 }),
    })
    const style = fc.record({
      space: fc.constantFrom(0, 2, "\t"),
      chunk: fc.integer({ min: 1, max: 40 }),
      bom: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(document, style, async ({ before, list }, { space, chunk, bom }) => {
        const value = { ...before, list, 'after "\\ 漢': [list, "]"] }
        const text = JSON.stringify(value, null, space)
        await writeFile(path, (bom ? "\ufeff" : "") + text)
        const parsed = JSON.parse(text)
        // A BOM is looked for in the first chunk.
        const seen = await scan(path, { chunk: chunk + 2 })
        expect(seen.elements).toEqual(parsed.list)
        expect(seen.values).toEqual(parsed)
      }),
      { numRuns: 200 },
    )
  })

  const contents = async (text: string | Uint8Array): Promise<string> => {
    const path = join(await tempFolder(), "a.json")
    await writeFile(path, text)
    return path
  }

  it.each<[string, string]>([
    ["", 'byte 0: the file is cut off: expected "{", the start of a JSON object, found its end'],
    ["[1]", 'byte 0: expected "{", the start of a JSON object, found "["'],
    ["<html>", 'found "<"'],
    ['{"list":[{"a":1},{"a":', "byte 22: the file is cut off: expected an element"],
    ['{"list":[1,2', "cut off"],
    ['{"list":[1,2]', 'byte 13: the file is cut off: expected "," or "}"'],
    ['{"list":[1,]}', 'byte 11: expected an element, found "]"'],
    ['{"list":[,1]}', 'byte 9: expected an element or "]", found ","'],
    ['{"list":[1 2]}', 'byte 11: expected "," or "]", found "2"'],
    ['{"list":[{"a":1],2]}', "list[0] at byte 9: "],
    ['{"list":[1,nul]}', "list[1] at byte 11: "],
    ['{"list":{}}', 'byte 8: expected a list under "list"'],
    ['{"list":[],}', 'byte 11: expected a key, found "}"'],
    ['{"list" []}', 'byte 8: expected ":", found "["'],
    ['{"other":}', 'byte 9: expected a value, found "}"'],
    ['{"list":[]} x', 'byte 12: expected nothing more, found "x"'],
    ['{"list":[],"list":[]}', 'byte 11: the key "list" is there twice'],
    ["{list:[]}", 'byte 1: expected a key or "}", found "l"'],
  ])("says what is wrong with %s", async (text, message) => {
    const path = await contents(text)
    for (const chunk of [1, 5, 1000]) {
      await expect(scan(path, { chunk })).rejects.toThrow(IngestError)
      await expect(scan(path, { chunk })).rejects.toThrow(`${path}: ${message.startsWith("byte") ? message : ""}`)
      await expect(scan(path, { chunk })).rejects.toThrow(message)
    }
  })

  it("gives up an element that does not end", async () => {
    const path = await contents(Buffer.concat([Buffer.from('{"list":["'), Buffer.alloc(20 << 20, "a")]))
    await expect(scan(path)).rejects.toThrow("byte 9: no end of what begins here until byte")
  })

  it("gives up an element that is nested so deep that nobody could follow it", async () => {
    const path = await contents(`{"list":[${"[".repeat(1000)}${"]".repeat(1000)}]}`)
    await expect(scan(path, { chunk: 100 })).rejects.toThrow(`${path}: byte 265: more than 256 levels`)
  })

  it("says which file is missing", async () => {
    await expect(scan("/nowhere/a.json")).rejects.toThrow("File not found: /nowhere/a.json")
  })

  it("ends when the run is stopped", async () => {
    const path = await contents('{"list":[1]}')
    await expect(scan(path, { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop")
  })
})

describe("readTexts", () => {
  it("refuses a file that is another one by now", async () => {
    const path = join(await tempFolder(), "a.json")
    await writeFile(path, '{"list":[1]}')
    const { version } = await scanArrays(path, {})
    expect(readTexts({ path, version }, [8, 11])).toEqual(["[1]"])
    await writeFile(path, '{"list":[1,2]}')
    expect(() => readTexts({ path, version }, [8, 11])).toThrow(FatalError)
    expect(() => readTexts({ path, version }, [8, 11])).toThrow(`${path}: the file changed or went while it was in use`)
    await rm(path)
    expect(() => readTexts({ path, version }, [8, 11])).toThrow(FatalError)
  })
})
