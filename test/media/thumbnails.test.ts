import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { describe, expect, it } from "vitest"
import { type Thumbnail, thumbnailBatch, thumbnailsOf } from "../../src/media/thumbnails.ts"
import { IngestError } from "../../src/model/errors.ts"
import { values } from "../fixtures/fileitem.ts"
import { animatedGif, blackPng, bmp, orientedJpeg, picture, QUARTERS, svg } from "../fixtures/image.ts"
import { tempFolder } from "../fixtures/temp.ts"

const sizes = (thumbnails: readonly Thumbnail[]): Promise<string[]> =>
  Promise.all(
    thumbnails.map(async ({ dimension, content }) => {
      const { format, width, height, channels } = await sharp(content).metadata()
      return `${dimension} ${format} ${width}x${height}x${channels}`
    }),
  )

/** The mean colours of the four quarters, without the seams between them. */
const quarters = async (content: Uint8Array | undefined): Promise<number[][]> => {
  const { width, height } = await sharp(content).metadata()
  const [w, h] = [Math.floor(width / 2), Math.floor(height / 2)]
  const places = [
    [0, 0],
    [width - w, 0],
    [0, height - h],
    [width - w, height - h],
  ] as const
  return Promise.all(
    places.map(async ([left, top]) => {
      const middle = { left: left + (w >> 2), top: top + (h >> 2), width: w >> 1, height: h >> 1 }
      const { channels } = await sharp(await sharp(content).extract(middle).toBuffer()).stats()
      return channels.map(({ mean }) => mean)
    }),
  )
}

const expectQuarters = async (thumbnail: Thumbnail | undefined): Promise<void> => {
  for (const [at, colour] of (await quarters(thumbnail?.content)).entries()) {
    for (const [channel, mean] of colour.entries()) {
      expect(Math.abs(mean - (QUARTERS[at]?.[channel] ?? -1)), `quarter ${at}, channel ${channel}`).toBeLessThan(12)
    }
  }
}

describe("thumbnailsOf", () => {
  it("makes four JPEGs that fit inside their squares", async () => {
    const thumbnails = await thumbnailsOf(await picture(1200, 750).jpeg().toBuffer())
    expect(await sizes(thumbnails)).toEqual([
      "32x32 jpeg 32x20x3",
      "64x64 jpeg 64x40x3",
      "128x128 jpeg 128x80x3",
      "256x256 jpeg 256x160x3",
    ])
    for (const thumbnail of thumbnails.slice(1)) await expectQuarters(thumbnail)
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])("stands pictures of EXIF orientation %i upright", async (orientation) => {
    const thumbnails = await thumbnailsOf(await orientedJpeg(1200, 800, orientation))
    expect((await sizes(thumbnails)).at(-1)).toBe("256x256 jpeg 256x171x3")
    await expectQuarters(thumbnails.at(-1))
  })

  it("does not enlarge", async () => {
    expect(await sizes(await thumbnailsOf(await picture(50, 20).png().toBuffer()))).toEqual([
      "32x32 jpeg 32x13x3",
      "64x64 jpeg 50x20x3",
      "128x128 jpeg 50x20x3",
      "256x256 jpeg 50x20x3",
    ])
  })

  it.each(["jpeg", "png", "gif", "webp", "avif", "tiff"] as const)("reads %s", async (format) => {
    await expectQuarters((await thumbnailsOf(await picture(300, 200).toFormat(format, { quality: 95 }).toBuffer()))[3])
  })

  it("reads BMP", async () => expectQuarters((await thumbnailsOf(bmp(301, 199)))[3]))

  it("reads pixels", async () => {
    const { data, info } = await picture(300, 200).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
    await expectQuarters((await thumbnailsOf({ data, width: info.width, height: info.height, channels: 4 }))[3])
  })

  it("reads greyscale, CMYK and 16-bit pictures as colours on 8 bits", async () => {
    const grey = await picture(300, 200).greyscale().jpeg().toBuffer()
    const cmyk = await picture(300, 200).toColourspace("cmyk").jpeg().toBuffer()
    const deep = await picture(300, 200).toColourspace("rgb16").png().toBuffer()
    for (const file of [grey, cmyk, deep]) {
      expect((await sizes(await thumbnailsOf(file))).at(-1)).toBe("256x256 jpeg 256x171x3")
    }
    await expectQuarters((await thumbnailsOf(deep))[3])
  })

  it("lays transparency on white and takes the first frame of an animation", async () => {
    const clear = { width: 10, height: 10, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const
    const [seeThrough] = await thumbnailsOf(await sharp({ create: clear }).png().toBuffer())
    expect((await quarters(seeThrough?.content)).flat().every((mean) => mean > 250)).toBe(true)
    const [frame] = await thumbnailsOf(await animatedGif())
    const [red = 0, , blue = 255] = (await quarters(frame?.content))[0] ?? []
    expect(red).toBeGreaterThan(240)
    expect(blue).toBeLessThan(15)
  })

  it("refuses too many pixels before decoding them, and says how many there are", async () => {
    const file = await blackPng(20_000, 20_000)
    await expect(thumbnailsOf(file)).rejects.toThrow(
      new IngestError("Input image exceeds pixel limit: 20000 x 20000 pixels, at most 268435456 are decoded"),
    )
    const tiff = await picture(300, 200).tiff().toBuffer()
    await expect(thumbnailsOf(tiff, { maxPixels: 1000 })).rejects.toThrow("pixel limit: 300 x 200 pixels, at most 1000")
    expect(await sizes(await thumbnailsOf(await blackPng(2000, 2000)))).toContain("32x32 jpeg 32x32x3")
  })

  it.each(["jpeg", "png", "gif", "webp", "avif", "tiff"] as const)("refuses %s that was cut off", async (format) => {
    const file = await picture(300, 200).toFormat(format).toBuffer()
    for (const missing of [1, 20, file.length >> 1, file.length - 40]) {
      await expect(thumbnailsOf(file.subarray(0, file.length - missing)), `without ${missing}`).rejects.toThrow(
        IngestError,
      )
    }
  })

  it("refuses pixels that do not decode", async () => {
    const file = await picture(300, 200).png().toBuffer()
    file.fill(0x55, file.indexOf("IDAT") + 8, file.indexOf("IDAT") + 60)
    await expect(thumbnailsOf(file)).rejects.toThrow(/^Damaged PNG: /)
  })
})

describe("thumbnailsOf SVG", () => {
  const drawn = svg(300, 200, '<rect width="300" height="200" fill="#c81e1e"/>')

  it("draws SVG only when asked to", async () => {
    await expect(thumbnailsOf(drawn)).rejects.toThrow("SVG is not rendered here")
    const [red = 0] = (await quarters((await thumbnailsOf(drawn, { svg: true }))[3]?.content))[0] ?? []
    expect(Math.abs(red - 200)).toBeLessThan(12)
  })

  it("loads nothing from outside", async () => {
    const folder = await tempFolder()
    const target = join(folder, "secret.png")
    await writeFile(target, await picture(300, 200).png().toBuffer())
    const references = [`file://${target}`, target].map((href) => `<image href="${href}" width="300" height="200"/>`)
    const [thumbnail] = await thumbnailsOf(svg(300, 200, references.join("")), { svg: true })
    expect((await quarters(thumbnail?.content)).flat().every((mean) => mean > 250)).toBe(true)
    const entity = Buffer.from(
      `<!DOCTYPE svg [<!ENTITY x SYSTEM "file://${target}">]>${svg(10, 10, "<text>&x;</text>")}`,
    )
    await expect(thumbnailsOf(entity, { svg: true })).rejects.toThrow(/Damaged SVG: .*Entity/)
  })

  it("refuses a huge one", async () => {
    await expect(thumbnailsOf(svg(400_000, 300_000, ""), { svg: true })).rejects.toThrow("exceeds pixel limit")
  })
})

describe("thumbnailBatch", () => {
  it("has one row a thumbnail, in the columns of the side table", async () => {
    const thumbnails = await thumbnailsOf(await picture(300, 200).png().toBuffer())
    const batch = thumbnailBatch([
      { row: 0, fileId: "a", column: "image", thumbnails },
      { row: 3, fileId: "b", column: "mask", thumbnails },
    ])
    expect([...batch.columns.keys()]).toEqual(["_row", "file_id", "column_name", "dimension", "content"])
    expect(values([batch], "_row")).toEqual([0, 0, 0, 0, 3, 3, 3, 3])
    expect(values([batch], "file_id")).toEqual([..."aaaabbbb"])
    expect(values([batch], "dimension").slice(0, 5)).toEqual(["32x32", "64x64", "128x128", "256x256", "32x32"])
    expect(values([batch], "content")[7]).toEqual(new Uint8Array(thumbnails[3]?.content ?? []))
  })
})
