import { describe, expect, it } from "vitest"
import { IngestError } from "../../src/model/errors.ts"
import { fileId, rowId } from "../../src/model/ids.ts"
import { readOptions } from "../../src/model/options.ts"
import { text } from "../../src/normalizers/text.ts"
import { fileItem, type Run, run, values } from "../fixtures/fileitem.ts"

const read = async (content: Uint8Array | string, options: Readonly<Record<string, unknown>> = {}): Promise<Run> =>
  run(text.normalize, await fileItem("file.txt", content), readOptions("text", text.options, options))

const texts = ({ rows }: Run): readonly unknown[] =>
  values(
    rows.map(({ batch }) => batch),
    "text",
  )

const utf16be = (text: string): Buffer => Buffer.from(text, "utf16le").swap16()
const utf32 = (text: string, little: boolean): Buffer => {
  const points = [...text].map((character) => character.codePointAt(0) ?? 0)
  const bytes = Buffer.alloc(points.length * 4)
  for (const [at, point] of points.entries()) {
    if (little) bytes.writeUInt32LE(point, at * 4)
    else bytes.writeUInt32BE(point, at * 4)
  }
  return bytes
}

describe("text", () => {
  it("makes one row a window, with ids that follow from the item", async () => {
    const item = await fileItem("file.txt", "abcdefgh")
    const { rows } = await run(text.normalize, item, { chunk_size: 5, chunk_overlap: 2 })
    const batches = rows.map(({ batch }) => batch)
    expect([...(batches[0]?.columns.keys() ?? [])]).toEqual(Object.keys(text.columns))
    expect(values(batches, "text")).toEqual(["abcde", "defgh"])
    expect(values(batches, "chunk_index")).toEqual([0, 1])
    expect(values(batches, "file_id")).toEqual([fileId(item), fileId(item)])
    expect(values(batches, "id")).toEqual([rowId(item, 0), rowId(item, 1)])
    expect(rowId(item, 0)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it("has windows of 1,000 characters, 200 of them shared, unless told otherwise", async () => {
    const windows = texts(await read("0123456789".repeat(200)))
    expect(windows.map((window) => String(window).length)).toEqual([1000, 1000, 400])
  })

  it("has no rows for an empty file", async () => {
    expect((await read("")).rows).toEqual([])
    expect((await read("\ufeff")).rows).toEqual([])
  })

  it("says when neighbouring windows would share all of their characters", () => {
    expect(text.conflict?.({ chunk_size: 200, chunk_overlap: 200 })).toMatch(
      /expected less than chunk_size \(200\), found 200/,
    )
    expect(text.conflict?.({ chunk_size: 200, chunk_overlap: 199 })).toBeUndefined()
  })

  const sample = "Grüße, 日本語 and 🙂: enough to tell.\n"
  const western = "Das Mädchen isst Käse in München, für 5 € am Tag.\n"
  it.each([
    ["UTF-8", sample, Buffer.from(sample)],
    ["UTF-8 with its mark", sample, Buffer.from(`\ufeff${sample}`)],
    ["UTF-16LE with its mark", sample, Buffer.from(`\ufeff${sample}`, "utf16le")],
    ["UTF-16BE with its mark", sample, utf16be(`\ufeff${sample}`)],
    ["UTF-32LE with its mark", sample, utf32(`\ufeff${sample}`, true)],
    ["UTF-32BE with its mark", sample, utf32(`\ufeff${sample}`, false)],
    ["UTF-16LE", western, Buffer.from(western, "utf16le")],
    ["UTF-16BE", western, utf16be(western)],
    ["UTF-32LE", western, utf32(western, true)],
    ["UTF-32BE", western, utf32(western, false)],
    ["windows-1252", western, Buffer.from(western.replace("€", "\x80"), "latin1")],
    ["windows-1252 too short to tell", "Größe", Buffer.from("Größe", "latin1")],
    [
      "Shift_JIS",
      "これは日本語のテキストです。",
      Buffer.from("82b182ea82cd93fa967b8cea82cc8365834c8358836782c582b78142", "hex"),
    ],
    ["KOI8-R", "Привет, как дела?", Buffer.from("f0d2c9d7c5d42c20cbc1cb20c4c5ccc13f", "hex")],
  ])("reads %s", async (_, expected, bytes) => {
    const { rows, partial } = await read(bytes)
    expect(texts({ rows, partial })).toEqual([expected])
    expect(partial).toEqual([])
  })

  it("refuses binary content", async () => {
    await expect(read(Buffer.from([1, 2, 0, 0, 5, 0, 7, 0, 0, 9]))).rejects.toThrow(IngestError)
  })

  it("reads a file larger than its pieces, with characters across their edges", async () => {
    const whole = `${"añ€🙂".repeat(1_100_000)}!`
    const size = 500_000
    const windows = texts(await read(whole, { chunk_size: size, chunk_overlap: 100_000 })).map(String)
    const points = [...whole]
    expect(windows).toHaveLength(Math.ceil((points.length - size) / 400_000) + 1)
    for (const [at, window] of windows.entries()) {
      const start = at * 400_000
      expect(window === points.slice(start, start + size).join(""), `window ${at}`).toBe(true)
    }
  })

  it("says that bytes in the middle of a large file were replaced", async () => {
    const bytes = Buffer.alloc(5 * 2 ** 20, "word ")
    bytes[bytes.length - 10] = 0xff
    const { rows, partial } = await read(bytes, { chunk_size: 1_000_000 })
    expect(partial).toEqual(["Bytes that are no valid utf-8 were replaced by U+FFFD"])
    expect(String(texts({ rows, partial }).at(-1))).toContain("\ufffd")
  })
})
