/**
 * pdf.js, which reads what PDFium cannot: it repairs more, at less speed. It loads nothing from a network and runs no
 * script of a document. Much of it is synchronous as well and may take for ever.
 */
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { createCanvas } from "@napi-rs/canvas"
import { getDocument, PasswordException, type PDFPageProxy, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs"
import { messageOf } from "../../model/errors.ts"
import {
  cleanText,
  type Drawing,
  fitPage,
  type PageImage,
  type PdfDocument,
  type PdfEngine,
  PdfError,
  POINTS_PER_INCH,
} from "./page.ts"

/** A folder of the package, with the slash at its end that pdf.js asks for. */
const folder = (name: string): string =>
  join(dirname(createRequire(import.meta.url).resolve("pdfjs-dist/package.json")), name, "/")

const readText = async (page: PDFPageProxy): Promise<string> => {
  const { items } = await page.getTextContent()
  return cleanText(items.map((item) => ("str" in item ? item.str + (item.hasEOL ? "\n" : "") : "")).join(""))
}

const draw = async (page: PDFPageProxy, drawing: Drawing): Promise<Omit<PageImage, "text">> => {
  const points = page.getViewport({ scale: 1 })
  const { width, height, dpi } = fitPage(points.width, points.height, drawing)
  const canvas = createCanvas(width, height)
  // The canvas has what pdf.js uses of an HTML canvas.
  await page.render({ canvas: canvas as never, viewport: page.getViewport({ scale: dpi / POINTS_PER_INCH }) }).promise
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height)
  // A copy, because memory of the canvas cannot be transferred to another thread.
  return { pixels: { data: new Uint8Array(data), width, height, channels: 4 }, dpi }
}

const open = async (bytes: Uint8Array): Promise<PdfDocument> => {
  const task = getDocument({
    // pdf.js refuses a Buffer.
    data: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
    cMapUrl: folder("cmaps"),
    standardFontDataUrl: folder("standard_fonts"),
    wasmUrl: folder("wasm"),
    iccUrl: folder("iccs"),
    enableXfa: false,
    disableWorkerRendering: true,
    verbosity: VerbosityLevel.ERRORS,
  })
  const document = await task.promise.catch(async (error: unknown) => {
    await task.destroy()
    throw new PdfError(messageOf(error), { password: error instanceof PasswordException })
  })
  return {
    pages: document.numPages,
    page: async (index, drawing) => {
      const page = await document.getPage(index + 1)
      try {
        return { text: await readText(page), ...(await draw(page, drawing)) }
      } finally {
        page.cleanup()
      }
    },
    close: () => task.destroy(),
  }
}

/** Its memory is not counted, and not bounded but by time: its thread is never kept for another document. */
export const pdfjs: PdfEngine = { open, memory: () => 0, isExhausted: () => false }
