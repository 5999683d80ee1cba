/** PDF pages as PNG at 150 DPI, with their text. */

import { readdir, readFile, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { createCanvas } from "@napi-rs/canvas"
import sharp from "sharp"
import { dice } from "../src/model/dice.ts"
import { filesPlan, run } from "../src/pipeline.ts"
import { lance } from "../src/sinks/lance.ts"
import { files } from "../src/sources/files.ts"
import { words } from "../test/fixtures/folder.ts"
import { pdfOf } from "../test/fixtures/pdf.ts"
import type { Question } from "./harness.ts"

const FILES = 8
const PAGES = 25
const SCALE = 150 / 72

const documents = async (input: string): Promise<string[]> =>
  (await readdir(input)).filter((name) => name.endsWith(".pdf")).map((name) => join(input, name))

const question: Question = {
  title: `PDF: ${FILES} documents of ${PAGES} pages, 150 DPI PNG and text`,
  prepare: async (folder) => {
    const next = dice(5)
    for (let i = 0; i < FILES; i++) {
      const pages = Array.from({ length: PAGES }, () => ({
        text:
          words(140, next)
            .match(/.{1,38}( |$)/g)
            ?.join("\n") ?? "",
      }))
      await writeFile(join(folder, `document-${i}.pdf`), pdfOf(pages))
    }
  },
  variants: {
    sluice: (input, output) =>
      run(
        filesPlan({
          name: "bench",
          source: files({ include: join(input, "*.pdf") }),
          normalize: { pdf: { thumbnails: false } },
          sink: lance({ uri: output, table: "t" }),
        }),
      ),
    "bare PDFium and sharp": async (input) => {
      const { PDFiumLibrary } = await import("@hyzyla/pdfium")
      const library = await PDFiumLibrary.init()
      for (const path of await documents(input)) {
        const document = await library.loadDocument(await readFile(path))
        for (const page of document.pages()) {
          page.getText()
          const { data, width, height } = await page.render({ scale: SCALE, render: "bitmap" })
          await sharp(data, { raw: { width, height, channels: 4 } })
            .removeAlpha()
            .png()
            .toBuffer()
        }
        document.destroy()
      }
      library.destroy()
    },
    "pdfjs alone": async (input) => {
      const root = dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json"))
      const { getDocument } = await import("pdfjs-dist/legacy/build/pdf.mjs")
      for (const path of await documents(input)) {
        const data = new Uint8Array(await readFile(path))
        const task = getDocument({ data, standardFontDataUrl: `${root}/standard_fonts/`, verbosity: 0 })
        const document = await task.promise
        for (let number = 1; number <= document.numPages; number++) {
          const page = await document.getPage(number)
          const viewport = page.getViewport({ scale: SCALE })
          const canvas = createCanvas(Math.round(viewport.width), Math.round(viewport.height))
          await page.getTextContent()
          await page.render({ canvas: canvas as never, canvasContext: canvas.getContext("2d") as never, viewport })
            .promise
          await canvas.encode("png")
          page.cleanup()
        }
        await task.destroy()
      }
    },
  },
  goals: { "bare PDFium and sharp": 0.85, "pdfjs alone": 2 },
}

export default question
