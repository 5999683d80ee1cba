import sharp, { type Sharp } from "sharp"
import { describe, expect, it } from "vitest"
import type { PdfDocument } from "../../src/media/pdf/page.ts"
import { type PdfPage, readPages } from "../../src/media/pdf/pages.ts"
import { pdfium } from "../../src/media/pdf/pdfium.ts"
import { pdfjs } from "../../src/media/pdf/pdfjs.ts"
import { transferable } from "../../src/model/batch.ts"
import { IngestError } from "../../src/model/errors.ts"
import { fileId, rowId } from "../../src/model/ids.ts"
import type { Plain } from "../../src/model/item.ts"
import type { NormalizeContext } from "../../src/model/normalizer.ts"
import { readOptions } from "../../src/model/options.ts"
import { normalizeFile } from "../../src/normalizers/file.ts"
import { pdf } from "../../src/normalizers/pdf.ts"
import { fileItem, type Run, run, values } from "../fixtures/fileitem.ts"
import { type PageSpec, pdfOf } from "../fixtures/pdf.ts"

const THREE: readonly PageSpec[] = [
  { text: "First page\nwith (two) lines" },
  { text: "Zweite Seite: Grüße" },
  { text: "Third \\ last" },
]
const TEXTS = THREE.map(({ text }) => text)

const read = async (
  content: Uint8Array | string,
  options: Readonly<Record<string, Plain>> = {},
  context: Partial<NormalizeContext> = {},
): Promise<Run> =>
  run(pdf.normalize, await fileItem("paper.pdf", content), readOptions("pdf", pdf.options, options), context)

const column = ({ rows }: Run, name: string) =>
  values(
    rows.map(({ batch }) => batch),
    name,
  )

const images = (result: Run): readonly Uint8Array[] =>
  column(result, "image").filter((value): value is Uint8Array => value instanceof Uint8Array)

/** Where a page has ink, in pixels: the smallest box around everything darker than mid-grey. */
const inkOf = async (input: Sharp) => {
  const { data, info } = await input.greyscale().raw().toBuffer({ resolveWithObject: true })
  const box = { left: info.width, top: info.height, right: -1, bottom: -1, dark: 0 }
  for (let at = 0; at < data.length; at += info.channels) {
    if ((data[at] ?? 0) > 127) continue
    const pixel = at / info.channels
    const x = pixel % info.width
    const y = Math.floor(pixel / info.width)
    box.left = Math.min(box.left, x)
    box.right = Math.max(box.right, x)
    box.top = Math.min(box.top, y)
    box.bottom = Math.max(box.bottom, y)
    box.dark++
  }
  return box
}

const sizeOf = async (image: Uint8Array | undefined) => {
  const { width, height, format, channels } = await sharp(image).metadata()
  return { width, height, format, channels }
}

describe("pdf", () => {
  it("yields a row a page, with its picture, its text and thumbnails", async () => {
    const item = await fileItem("paper.pdf", pdfOf(THREE))
    const result = await run(pdf.normalize, item, readOptions("pdf", pdf.options))
    expect(result.partial).toEqual([])
    expect(result.rows.map(({ batch }) => batch.rows)).toEqual([1, 1, 1])
    expect([...(result.rows[0]?.batch.columns.keys() ?? [])]).toEqual(Object.keys(pdf.columns))
    expect(column(result, "page_index")).toEqual([0, 1, 2])
    expect(column(result, "text")).toEqual(TEXTS)
    expect(column(result, "id")).toEqual([0, 1, 2].map((row) => rowId(item, row)))
    expect(new Set(column(result, "file_id"))).toEqual(new Set([fileId(item)]))
    for (const image of images(result)) {
      expect(await sizeOf(image)).toEqual({ width: 1275, height: 1650, format: "png", channels: 3 })
    }
    const side = result.rows.flatMap((row) => (row.side?.thumbnails ? [row.side.thumbnails] : []))
    expect(side.map((batch) => batch.rows)).toEqual([4, 4, 4])
    expect(values(side.slice(1, 2), "file_id")).toEqual(new Array(4).fill(rowId(item, 1)))
    expect(values(side, "_row")).toEqual(new Array(12).fill(0))
    const largest = values(side, "content")[3]
    expect(await sizeOf(largest instanceof Uint8Array ? largest : undefined)).toMatchObject({ width: 198, height: 256 })
    for (const { batch } of result.rows) {
      const { batch: whole, buffers } = transferable(batch)
      // Workers hand rows over like this, which memory of a native library does not allow.
      expect(() => structuredClone(whole, { transfer: buffers })).not.toThrow()
    }
  })

  it("draws the text dark on white, where it stands", async () => {
    const result = await read(pdfOf([{ text: "H" }, { text: "H", rotate: 90 }]), { dpi: 72, thumbnails: false })
    const [upright, turned] = await Promise.all(images(result).map((image) => inkOf(sharp(image))))
    // A Helvetica H of 24 points is 17 points high and 13 to 17 wide; its foot is 96 points below the top edge.
    expect(upright?.dark).toBeGreaterThan(50)
    expect(upright?.left).toBeGreaterThanOrEqual(72)
    expect(upright?.right).toBeLessThanOrEqual(90)
    expect(upright?.top).toBeGreaterThanOrEqual(77)
    expect(upright?.bottom).toBeLessThanOrEqual(96)
    // Turned clockwise, what was the distance from the top is that from the right edge, at 792.
    expect(await sizeOf(images(result)[1])).toMatchObject({ width: 792, height: 612 })
    expect(turned?.top).toBeGreaterThanOrEqual(72)
    expect(turned?.bottom).toBeLessThanOrEqual(90)
    expect(turned?.left).toBeGreaterThanOrEqual(792 - 97)
    expect(turned?.right).toBeLessThanOrEqual(792 - 77)
    expect(result.rows[0]?.side).toBeUndefined()
  })

  it("draws at the resolution asked for", async () => {
    const small = await read(pdfOf([{ text: "A4", width: 595.28, height: 841.89 }]), { dpi: 36.5 })
    expect(await sizeOf(images(small)[0])).toMatchObject({ width: 302, height: 427 })
    expect(() => readOptions("pdf", pdf.options, { dpi: 10 })).toThrow("from 18 to 1200")
  })

  it("is what normalizeFile takes for a PDF, whatever its name", async () => {
    for (const name of ["paper.PDF", "paper.txt"]) {
      const { rows } = await run(normalizeFile, await fileItem(name, pdfOf(THREE)), { lane: "thread" })
      expect(rows.map(({ medium }) => medium)).toEqual(["pdf", "pdf", "pdf"])
    }
  })

  it("agrees with pdf.js on text, sizes and where the ink is", async () => {
    const bytes = pdfOf([...THREE, { text: "Turned", rotate: 270, width: 400.4, height: 300.6 }])
    const pagesOf = async (document: PdfDocument) => {
      const pages = []
      for (let index = 0; index < document.pages; index++) {
        const { text, pixels } = await document.page(index, { dpi: 100, maxPixels: 1e7 })
        const { data, width, height, channels } = pixels
        pages.push({
          text: text.trim(),
          width,
          height,
          ink: await inkOf(sharp(data, { raw: { width, height, channels } })),
        })
      }
      await document.close()
      return pages
    }
    const ours = await pagesOf(await pdfium.open(bytes))
    const theirs = await pagesOf(await pdfjs.open(bytes.slice()))
    expect(ours).toHaveLength(4)
    for (const [index, { ink, ...page }] of ours.entries()) {
      const { ink: other, ...reference } = theirs[index] ?? {}
      expect(page).toEqual(reference)
      for (const edge of ["left", "top", "right", "bottom"] as const) {
        expect(Math.abs(ink[edge] - (other?.[edge] ?? Number.NaN))).toBeLessThanOrEqual(2)
      }
    }
  })

  it("opens an encrypted file only when it needs no password", async () => {
    const failure = read(pdfOf(THREE, { password: "secret" }))
    await expect(failure).rejects.toThrow(IngestError)
    await expect(failure).rejects.toThrow(/opens only with a password/)
    expect(column(await read(pdfOf(THREE, { password: "" })), "text")).toEqual(TEXTS)
  })

  it("says what a file is that is no PDF", async () => {
    const cases: readonly (readonly [Uint8Array | string, RegExp])[] = [
      ["", /^Expected a PDF, found an empty file \(0 bytes\)$/],
      ["<!DOCTYPE html><p>Not found", /found "<!DOCTYPE html><p>Not fo"$/],
      [Buffer.alloc(2000, 0xfe), /found the bytes fe fe fe fe fe fe fe fe$/],
      ["%PDF-1.7\nand no more", /^Expected a whole PDF, .*its end is missing; PDFium: .*; pdf\.js: /],
      [pdfOf([]), /PDFium: the file has no pages; pdf\.js: the file has no pages/],
    ]
    for (const [content, message] of cases) {
      const failure = read(content)
      await expect(failure).rejects.toThrow(IngestError)
      await expect(failure).rejects.toThrow(message)
    }
    await expect(read(pdfOf(THREE), {}, { maxBytes: 1000 })).rejects.toThrow(/has 1\.\d KiB; .* at most 1000 B/)
  })

  it("never takes a file that was cut off for a whole one", async () => {
    const whole = pdfOf(THREE)
    const marked = pdfOf(THREE, { statedLength: 9999 })
    const changed = Buffer.concat([whole, Buffer.from("\n3 0 obj\n<< /Type /Fo")])
    for (const content of [marked, changed, ...[2, 10, 100, 200, 400, 800].map((cut) => whole.subarray(0, -cut))]) {
      const { rows, partial } = await read(content, { thumbnails: false }).catch((error: unknown) => {
        expect(error).toBeInstanceOf(IngestError)
        return { rows: [], partial: [String(error)] }
      })
      expect(partial.join()).toMatch(
        rows.length > 0
          ? new RegExp(`the file is damaged \\((it|its) .*\\): ${rows.length} pages could be read`)
          : /found one that cannot be opened \(its end is missing; /,
      )
    }
    // Trailing bytes are no sign of that.
    expect((await read(Buffer.concat([whole, Buffer.alloc(3000)]))).partial).toEqual([])
  })

  it("reads with pdf.js what PDFium cannot open", async () => {
    const broken = Buffer.from(pdfOf(THREE))
    const table = broken.lastIndexOf("xref\n0")
    broken.fill(" ", broken.lastIndexOf("/Resources"), table + 8)
    const result = await read(broken)
    expect(column(result, "text")).toEqual(TEXTS)
    expect(result.partial).toEqual([
      "the file is damaged (PDFium: the file is no PDF or is damaged): 3 pages could be read",
    ])
    for (const image of images(result)) {
      expect(await sizeOf(image)).toEqual({ width: 1275, height: 1650, format: "png", channels: 3 })
    }
  })

  it("leaves out a page that is missing, and keeps the others", async () => {
    const missing: PageSpec = { text: "", trap: "missing" }
    const result = await read(pdfOf([{ text: "First" }, missing, { text: "Third" }]))
    expect(column(result, "page_index")).toEqual([0, 2])
    expect(column(result, "text")).toEqual(["First", "Third"])
    expect(result.partial).toHaveLength(1)
    expect(result.partial[0]).toMatch(/^page 2 of 3 could not be rendered: PDFium: .*; pdf\.js: /)
    await expect(read(pdfOf([missing]))).rejects.toThrow(/^None of the PDF's pages could be rendered; page 1 of 1 /)
    const { partial } = await read(pdfOf([{ text: "First" }, ...new Array(9).fill(missing)]))
    expect(partial).toHaveLength(6)
    expect(partial[5]).toBe("and 4 more problems like these")
  })

  it("draws a page that is too large at the resolution that fits", async () => {
    const huge = pdfOf([{ text: "small" }, { text: "Huge", width: 14_400, height: 14_400 }])
    const result = await read(huge, {}, { maxBytes: 9e6 })
    expect(await sizeOf(images(result)[1])).toMatchObject({ width: 1732, height: 1732 })
    expect(column(result, "text")).toEqual(["small", "Huge"])
    expect(result.partial).toEqual([
      "page 2 of 2 was drawn at 8.66 DPI and not 150, because it is too large: at most 3000000 pixels (8.6 MiB)",
    ])
  })

  it("takes no more than 10,000 pages", async () => {
    const partial: string[] = []
    const bytes = pdfOf(new Array(10_002).fill({ text: "", width: 18, height: 18 }))
    const signal = new AbortController().signal
    const options = {
      dpi: 18,
      maxBytes: 1e7,
      signal,
      progress: () => {},
      partial: (text: string) => partial.push(text),
    }
    let pages = 0
    for await (const { index } of readPages(() => bytes.slice(), options)) expect(index).toBe(pages++)
    expect(pages).toBe(10_000)
    expect(partial).toEqual(["of its 10002 pages, only the first 10000 are taken"])
  })
})

describe("a PDF on which the engines hang", () => {
  const readWithin = async (pages: readonly PageSpec[], stepLimit: number) => {
    const partial: string[] = []
    const drawn: PdfPage[] = []
    const options = { dpi: 50, maxBytes: 1e7, signal: new AbortController().signal, progress: () => {}, stepLimit }
    const bytes = pdfOf(pages)
    const all = readPages(() => bytes.slice(), { ...options, partial: (message) => partial.push(message) })
    for await (const page of all) drawn.push(page)
    return { partial, pages: drawn.map(({ index, text }) => `${index} ${text}`) }
  }

  it("is read on by pdf.js, without the pages on which pdf.js fails or hangs too", async () => {
    const { pages, partial } = await readWithin(
      [
        { text: "fine" },
        { text: "hangs PDFium", trap: "hang" },
        { text: "fails in pdf.js", trap: "hang-fail" },
        { text: "hangs both", trap: "hang-hang" },
        { text: "fine again" },
      ],
      3000,
    )
    expect(pages).toEqual(["0 fine", "1 hangs PDFium", "4 fine again"])
    expect(partial).toEqual([
      "page 2 of 5 was drawn by pdf.js and may lack something (PDFium: it took longer than 3 s)",
      expect.stringMatching(/^page 3 of 5 could not be rendered: pdf\.js: /),
      "page 4 of 5 could not be rendered: pdf.js: it took longer than 3 s",
    ])
  })

  it("is given up when too much time went into pages that failed", async () => {
    const trap: PageSpec = { text: "", trap: "hang-hang" }
    const { pages, partial } = await readWithin([{ text: "fine" }, ...new Array(20).fill(trap)], 1500)
    expect(pages).toEqual(["0 fine"])
    expect(partial.at(-1)).toMatch(/^pages \d to 21 were given up, because the pages that failed took too long$/)
  })
})
