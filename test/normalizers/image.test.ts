import { describe, expect, it } from "vitest"
import { fileId, rowId } from "../../src/model/ids.ts"
import type { Plain } from "../../src/model/item.ts"
import { image } from "../../src/normalizers/image.ts"
import { fileItem, type Run, run, values } from "../fixtures/fileitem.ts"
import { blackPng, bmp, picture, svg } from "../fixtures/image.ts"

const read = async (content: Uint8Array | string, options: Readonly<Record<string, Plain>>): Promise<Run> =>
  run(image.normalize, await fileItem("picture.bin", content), options)

describe("image", () => {
  it("keeps the bytes as they are, in one row, with thumbnails of it", async () => {
    const bytes = await picture(300, 200).jpeg().toBuffer()
    const item = await fileItem("Photo.JPG", bytes)
    const { rows } = await run(image.normalize, item, { thumbnails: true })
    const batches = rows.map(({ batch }) => batch)
    expect(batches.map((batch) => [...batch.columns.keys()])).toEqual([Object.keys(image.columns)])
    expect(values(batches, "image")).toEqual([new Uint8Array(bytes)])
    expect(values(batches, "filename")).toEqual(["Photo.JPG"])
    expect(values(batches, "text")).toEqual([""])
    expect(values(batches, "id")).toEqual([rowId(item, 0)])
    expect(values(batches, "file_id")).toEqual([fileId(item)])
    const side = rows.flatMap((row) => (row.side?.thumbnails ? [row.side.thumbnails] : []))
    expect(values(side, "dimension")).toEqual(["32x32", "64x64", "128x128", "256x256"])
    expect(new Set(values(side, "file_id"))).toEqual(new Set([rowId(item, 0)]))
    expect(new Set(values(side, "column_name"))).toEqual(new Set(["image"]))
  })

  it("takes a file larger than what is read at first", async () => {
    const bytes = await blackPng(30_000, 8000)
    const large = Buffer.concat([bytes, Buffer.alloc(200_000)])
    const { rows } = await read(large, { thumbnails: true })
    expect(
      values(
        rows.map(({ batch }) => batch),
        "image",
      )[0],
    ).toHaveLength(large.length)
  })

  it("makes no thumbnails when told so, and then does not decode", async () => {
    // The pixels of this one are more than would be decoded.
    const { rows } = await read(await blackPng(20_000, 20_000), { thumbnails: false })
    expect(rows).toHaveLength(1)
    expect(rows[0]?.side).toBeUndefined()
  })

  const formats = ["jpeg", "png", "gif", "webp"] as const
  it.each([true, false])("finds pictures that were cut off (thumbnails: %s)", async (thumbnails) => {
    for (const format of formats) {
      const whole = await picture(300, 200).toFormat(format).toBuffer()
      expect((await read(whole, { thumbnails })).rows).toHaveLength(1)
      for (const missing of [1, whole.length >> 1]) {
        await expect(read(whole.subarray(0, -missing), { thumbnails })).rejects.toThrow(/^Damaged .*: cut off: /)
      }
    }
    const whole = bmp(30, 20)
    expect((await read(whole, { thumbnails })).rows).toHaveLength(1)
    await expect(read(whole.subarray(0, -1), { thumbnails })).rejects.toThrow(
      "Damaged BMP: cut off: its pixels end at byte 1894, the file at 1893",
    )
  })

  it.each([true, false])("takes what follows the end of a JPEG (thumbnails: %s)", async (thumbnails) => {
    const jpeg = await picture(300, 200).jpeg().toBuffer()
    expect((await read(Buffer.concat([jpeg, Buffer.from("a film")]), { thumbnails })).rows).toHaveLength(1)
  })

  it.each([true, false])("says what it found instead of a picture (thumbnails: %s)", async (thumbnails) => {
    await expect(read("<!DOCTYPE html><title>404</title>", { thumbnails })).rejects.toThrow(
      /^Expected a picture \(.*\), found something that begins with the text "<!DOCTYPE html>/,
    )
    await expect(read(Buffer.alloc(40, 0xc8), { thumbnails })).rejects.toThrow("begins with the bytes c8c8c8")
    await expect(read("", { thumbnails })).rejects.toThrow("Expected a picture, found no bytes at all")
    await expect(read("BM is no picture, but it begins as one", { thumbnails })).rejects.toThrow("Expected a picture")
    const flat = bmp(30, 20)
    flat.fill(0, 18, 22)
    await expect(read(flat, { thumbnails })).rejects.toThrow("Damaged BMP: its header says 0 x 20 pixels")
  })

  it("refuses a file with more bytes than an item may have", async () => {
    const item = await fileItem("picture.png", await picture(300, 200).png().toBuffer())
    await expect(run(image.normalize, item, { thumbnails: true }, { maxBytes: 100 })).rejects.toThrow(
      /may have at most 100 B/,
    )
  })

  it("draws SVG", async () => {
    const { rows } = await read(svg(30, 20, '<circle r="9"/>'), { thumbnails: true })
    expect(rows[0]?.side?.thumbnails?.rows).toBe(4)
  })
})
