/**
 * PDFium, compiled to WebAssembly. Everything in it is synchronous and may take for ever: it runs in a thread that can
 * be killed. An exception that is no `PdfError` came out of the middle of it; it must not be used any more after that.
 *
 * The C functions are called directly (https://pdfium.googlesource.com/pdfium/+/main/public/): the package's own
 * `page.render` rounds sizes down to whole points, draws four channels where a page has three, and does not check
 * whether a page could be loaded.
 */
import { PDFiumModule } from "@hyzyla/pdfium"
import { cleanText, type Drawing, fitPage, type PageImage, type PdfDocument, type PdfEngine, PdfError } from "./page.ts"

const library = await PDFiumModule({})
library._FPDF_InitLibraryWithConfig({})

/** A `WebAssembly.Memory`, which grows by pages. */
interface Memory {
  readonly buffer: ArrayBuffer
  grow: (pages: number) => number
}
const PAGE_BYTES = 64 << 10

const { memory } = library.wasmExports as unknown as { readonly memory: Memory }
const grow = memory.grow.bind(memory)
let mostMemory = Number.POSITIVE_INFINITY
let exhausted = false

// A few kilobytes of a document can be gigabytes of content, of which PDFium would take up to 2 GiB. Refused what it
// wants it tries with less, and dies when that is refused, too.
memory.grow = (pages) => {
  exhausted = memory.buffer.byteLength + pages * PAGE_BYTES > mostMemory
  if (exhausted) throw new RangeError("no more memory")
  return grow(pages)
}

/** FPDF_GetLastError, fpdfview.h. */
const ERRORS: Readonly<Record<number, string>> = {
  2: "the file could not be opened",
  3: "the file is no PDF or is damaged",
  4: "a password is needed",
  5: "it is encrypted in a way that is not known",
  6: "a page is missing or damaged",
}
const NEEDS_PASSWORD = 4

/** FPDFBitmap_BGR, three bytes a pixel; FPDF_REVERSE_BYTE_ORDER makes RGB of it. */
const BGR = 2
const CHANNELS = 3
/** FPDF_ANNOT | FPDF_REVERSE_BYTE_ORDER. Not FPDF_LCD_TEXT, which gives letters coloured edges. */
const FLAGS = 0x01 | 0x10
const WHITE = 0xffffffff

const decoder = new TextDecoder("utf-16le")

const allocate = (bytes: number): number => {
  const pointer = library.wasmExports.malloc(bytes)
  if (!pointer) throw new PdfError(`PDFium has no memory for ${bytes} bytes more`)
  return pointer
}

/** PDFium puts the parts of a word that is broken at the end of a line together, with this in place of the hyphen. */
const WORD_BREAK = "\ufffe"

const readText = (page: number): string => {
  const text = library._FPDFText_LoadPage(page)
  if (!text) throw new PdfError("the page's text could not be read")
  try {
    const length = library._FPDFText_CountChars(text)
    if (length <= 0) return ""
    const pointer = allocate((length + 1) * 2)
    // The count that comes back includes the zero at the end.
    const written = library._FPDFText_GetText(text, 0, length, pointer)
    const bytes = library.HEAPU8.slice(pointer, pointer + Math.max(0, written - 1) * 2)
    library.wasmExports.free(pointer)
    return cleanText(decoder.decode(bytes).replaceAll(WORD_BREAK, ""))
  } finally {
    library._FPDFText_ClosePage(text)
  }
}

const draw = (page: number, drawing: Drawing): Omit<PageImage, "text"> => {
  const { width, height, dpi } = fitPage(library._FPDF_GetPageWidth(page), library._FPDF_GetPageHeight(page), drawing)
  const stride = width * CHANNELS
  const pointer = allocate(stride * height)
  const bitmap = library._FPDFBitmap_CreateEx(width, height, BGR, pointer, stride)
  try {
    if (!bitmap) throw new PdfError(`PDFium makes no picture of ${width} x ${height} pixels`)
    library._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, WHITE)
    library._FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, FLAGS)
    const data = library.HEAPU8.slice(pointer, pointer + stride * height)
    return { pixels: { data, width, height, channels: CHANNELS }, dpi }
  } finally {
    if (bitmap) library._FPDFBitmap_Destroy(bitmap)
    library.wasmExports.free(pointer)
  }
}

const open = (bytes: Uint8Array, most = Number.POSITIVE_INFINITY): PdfDocument => {
  mostMemory = most
  const pointer = allocate(bytes.length)
  library.HEAPU8.set(bytes, pointer)
  const document = library._FPDF_LoadMemDocument(pointer, bytes.length, 0)
  if (!document) {
    const code = library._FPDF_GetLastError()
    library.wasmExports.free(pointer)
    throw new PdfError(ERRORS[code] ?? `error ${code}`, { password: code === NEEDS_PASSWORD })
  }
  return {
    pages: library._FPDF_GetPageCount(document),
    page: (index, drawing) => {
      const page = library._FPDF_LoadPage(document, index)
      if (!page) throw new PdfError("the page is missing or damaged")
      try {
        return { text: readText(page), ...draw(page, drawing) }
      } finally {
        library._FPDF_ClosePage(page)
      }
    },
    close: () => {
      library._FPDF_CloseDocument(document)
      library.wasmExports.free(pointer)
    },
  }
}

export const pdfium: PdfEngine = { open, memory: () => library.HEAPU8.length, isExhausted: () => exhausted }
