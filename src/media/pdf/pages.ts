/**
 * The pages of a PDF in order, within limits on what a hostile file can cost. A page that cannot be drawn is left out
 * and reported, the others are kept. While a page is being used, the next one is drawn.
 */
import { IngestError, messageOf } from "../../model/errors.ts"
import { formatBytes } from "../../model/units.ts"
import { openPdf, type PdfReader, type ReadPage } from "./reader.ts"
import { checkHeader, cutOff } from "./structure.ts"

/** Milliseconds for one step of an engine. The slowest page known to finish takes PDFium 6 s on a quiet machine. */
const STEP_LIMIT = 15_000

/** Together, the pages that fail may take as long as this many steps; then the rest is given up. */
const FAILED_STEPS = 4

const MAX_PAGES = 10_000

/** 16,384 x 16,384: A4 at 1,400 DPI. */
const MAX_PIXELS = 2 ** 28
const BYTES_PER_PIXEL = 3

/** An engine may take so much besides the file and the pixels of a page, which may have `maxBytes` each. */
const SPARE_MEMORY = 512 << 20

/** With larger pages than this, the next one is drawn only when the last one is done with. */
const AHEAD_BYTES = 64 << 20

/** So many problems of pages are told; of further ones, only how many they are. */
const TOLD = 5

export interface PdfPage extends ReadPage {
  /** Counts from 0 over all pages of the file, also those left out. */
  readonly index: number
}

export interface PdfOptions {
  readonly dpi: number
  /** Bytes that the pixels of one page may take. */
  readonly maxBytes: number
  readonly signal: AbortSignal
  readonly progress: () => void
  /** Told what is missing or not as it was asked for. */
  readonly partial: (message: string) => void
  /** Milliseconds that one step may take an engine before it is killed. Default 15,000. */
  readonly stepLimit?: number
}

/** Passes on the first few messages, and says at the end how many more there were. */
const limited = (tell: (message: string) => void) => {
  let count = 0
  return {
    tell: (message: string): void => {
      if (++count <= TOLD) tell(message)
    },
    end: (): void => {
      if (count > TOLD) tell(`and ${count - TOLD} more problems like these`)
    },
  }
}

const resolution = (dpi: number): string => `${Number(dpi.toPrecision(3))} DPI`

async function* draw(reader: PdfReader, options: PdfOptions, maxPixels: number): AsyncGenerator<PdfPage> {
  const { dpi, signal, partial, stepLimit = STEP_LIMIT } = options
  const problems = limited(partial)
  const last = Math.min(reader.pages, MAX_PAGES)
  let wasted = 0
  let firstFailure: string | undefined
  let drawn = 0
  const nameOf = (index: number): string => `page ${index + 1} of ${reader.pages}`

  /** The first page from `index` on that can be drawn. */
  const next = async (index: number): Promise<PdfPage | undefined> => {
    for (let at = index; at < last && !signal.aborted; at++) {
      const started = performance.now()
      try {
        return { index: at, ...(await reader.page(at)) }
      } catch (error) {
        if (error instanceof IngestError) throw error
        wasted += performance.now() - started
        const failure = `${nameOf(at)} could not be rendered: ${messageOf(error)}`
        firstFailure ??= failure
        problems.tell(failure)
        if (wasted > FAILED_STEPS * stepLimit && at + 1 < last) {
          partial(`pages ${at + 2} to ${last} were given up, because the pages that failed took too long`)
          return undefined
        }
      }
    }
    return undefined
  }

  if (reader.pages > MAX_PAGES) partial(`of its ${reader.pages} pages, only the first ${MAX_PAGES} are taken`)
  let ahead = next(0)
  for (;;) {
    const page = await ahead
    if (!page) break
    drawn++
    if (page.instead) {
      problems.tell(`${nameOf(page.index)} was drawn by pdf.js and may lack something (${page.instead})`)
    }
    if (page.dpi < dpi) {
      problems.tell(
        `${nameOf(page.index)} was drawn at ${resolution(page.dpi)} and not ${dpi}, because it is too large: at most ${maxPixels} pixels (${formatBytes(maxPixels * BYTES_PER_PIXEL)})`,
      )
    }
    const large = page.pixels.data.length > AHEAD_BYTES
    if (!large) {
      ahead = next(page.index + 1)
      // It is awaited in the next turn, unless there is none.
      ahead.catch(() => undefined)
    }
    yield page
    if (large) ahead = next(page.index + 1)
  }
  if (drawn === 0 && firstFailure) throw new IngestError(`None of the PDF's pages could be rendered; ${firstFailure}`)
  problems.end()
}

/**
 * Reads a PDF page by page. `read` returns the file's bytes, on a buffer of their own, and may be called more than once.
 *
 * @throws {IngestError} when the bytes are no PDF, it is damaged beyond repair, it needs a password, or no page of it
 * could be drawn. What `read` throws is passed on.
 */
export async function* readPages(read: () => Uint8Array, options: PdfOptions): AsyncGenerator<PdfPage> {
  let bytes: Uint8Array | undefined = read()
  checkHeader(bytes)
  const cut = cutOff(bytes)
  // The first engine takes over what has been read already.
  const take = (): Uint8Array => {
    const taken = bytes ?? read()
    bytes = undefined
    return taken
  }
  const maxPixels = Math.min(MAX_PIXELS, Math.floor(options.maxBytes / BYTES_PER_PIXEL))
  const reader = await openPdf(take, {
    drawing: { dpi: options.dpi, maxPixels },
    limits: { time: options.stepLimit ?? STEP_LIMIT, memory: 2 * options.maxBytes + SPARE_MEMORY },
    progress: options.progress,
    damage: cut,
  })
  let pages = 0
  try {
    for await (const page of draw(reader, options, maxPixels)) {
      pages++
      yield page
    }
  } finally {
    await reader.close()
  }
  const damage = cut ?? reader.instead
  if (damage) options.partial(`the file is damaged (${damage}): ${pages} pages could be read`)
}
