/** What a PDF engine gives: pages as text and pixels. Both engines keep to the same sizes and the same form of text. */
import type { Pixels } from "../thumbnails.ts"

/** How pages are to be drawn. */
export interface Drawing {
  readonly dpi: number
  /** A page that would have more pixels is drawn at the resolution at which it has not. */
  readonly maxPixels: number
}

export interface PageImage {
  /** Lines end in `\n`. */
  readonly text: string
  readonly pixels: Pixels
  /** What it was drawn at: `Drawing.dpi`, unless the page was too large for it. */
  readonly dpi: number
}

export interface PdfDocument {
  readonly pages: number
  /** `index` counts from 0. */
  page(index: number, drawing: Drawing): PageImage | Promise<PageImage>
  close(): void | Promise<void>
}

export interface PdfEngine {
  /**
   * Takes no more than `mostMemory` bytes for the document, where the engine can be told so.
   *
   * @throws {PdfError} when the bytes are no PDF, are damaged beyond what the engine repairs, or need a password.
   */
  open(bytes: Uint8Array, mostMemory?: number): PdfDocument | Promise<PdfDocument>
  /** Bytes of memory that the engine has taken and gives back only with its thread. */
  memory(): number
  /** Whether it wanted more memory than it may take. */
  isExhausted(): boolean
}

/** What an engine says of a document or a page. The engine itself is well and can go on. */
export class PdfError extends Error {
  /** The document can be read only with a password. */
  readonly password: boolean

  constructor(message: string, options: { readonly password?: boolean } = {}) {
    super(message)
    this.password = options.password ?? false
  }
}

/** What fonts that do not say which characters their glyphs are come out as, and \r, of which \n stays. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const CONTROL = /[\0-\x08\x0b-\x1f\x7f]/g

/** Text with lines that end in `\n`, and without other control characters. */
export const cleanText = (text: string): string => text.replaceAll(CONTROL, "")

/** The unit of page sizes (ISO 32000-1, 8.3.2.3). */
export const POINTS_PER_INCH = 72

/**
 * Size in pixels of a page of `width` x `height` points (1/72 inch), and the resolution that this amounts to.
 *
 * @throws {PdfError} when the page has no size that could be drawn.
 */
export const fitPage = (
  width: number,
  height: number,
  { dpi, maxPixels }: Drawing,
): { readonly width: number; readonly height: number; readonly dpi: number } => {
  if (!(width > 0 && height > 0 && Number.isFinite(width * height))) {
    throw new PdfError(`expected a page of some size, found ${width} x ${height} points`)
  }
  const pixels = (points: number): number => Math.max(1, Math.round((points * dpi) / POINTS_PER_INCH))
  const wanted = { width: pixels(width), height: pixels(height), dpi }
  const share = Math.sqrt(maxPixels / (wanted.width * wanted.height))
  if (share >= 1) return wanted
  // A strip that is less than a pixel thin becomes one pixel thin, and shorter for it.
  const shrink = (side: number, other: number): number =>
    Math.max(1, Math.floor(Math.min(side * share, maxPixels / Math.max(1, other * share))))
  return {
    width: shrink(wanted.width, wanted.height),
    height: shrink(wanted.height, wanted.width),
    dpi: dpi * share,
  }
}
