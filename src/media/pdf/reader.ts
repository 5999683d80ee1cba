/**
 * A PDF, read page by page by PDFium, and by pdf.js where PDFium fails: a page that PDFium cannot draw goes to pdf.js;
 * after one on which PDFium hangs or dies, so do all that follow.
 */
import { IngestError, messageOf } from "../../model/errors.ts"
import { type Engine, EngineExhausted, EngineLost, type Limits, startEngine } from "./engine.ts"
import { type Drawing, type PageImage, PdfError } from "./page.ts"
import type { EngineName } from "./protocol.ts"

export interface ReadPage extends PageImage {
  /** What PDFium says of the page, where it could not draw it and pdf.js did. */
  readonly instead?: string
}

export interface PdfReader {
  readonly pages: number
  /** What PDFium says of the file, where it could not open it and pdf.js did. */
  readonly instead: string | undefined
  /**
   * Text and pixels of a page; `index` counts from 0. Pages are asked for one at a time.
   *
   * @throws {Error} with what each engine says, when none of them can draw the page.
   */
  page(index: number): Promise<ReadPage>
  close(): Promise<void>
}

export interface ReaderOptions {
  readonly drawing: Drawing
  /** What one step (opening the file, drawing a page) may take an engine. */
  readonly limits: Limits
  /** Called before each step. */
  readonly progress: () => void
  /** What is known to be wrong with the file, for the error when it cannot be opened. */
  readonly damage: string | undefined
}

/** An engine that has taken more memory than this is started anew for the next page. */
const MAX_MEMORY = 512 << 20

const LABELS: Readonly<Record<EngineName, string>> = { pdfium: "PDFium", pdfjs: "pdf.js" }

const said = (name: EngineName, error: unknown): string => `${LABELS[name]}: ${messageOf(error)}`

/**
 * Opens the PDF whose bytes `read` returns. It is called once for each engine that is started, and has to make the bytes
 * anew each time, because the engine's thread takes them over.
 *
 * @throws {IngestError} when no engine can open the file, or a password is needed. What `read` throws is passed on.
 */
export const openPdf = async (read: () => Uint8Array, options: ReaderOptions): Promise<PdfReader> => {
  const { drawing, limits, progress, damage } = options
  const running = new Map<EngineName, Engine>()
  let usable: readonly EngineName[] = ["pdfium", "pdfjs"]
  let closed = false

  const close = async (name: EngineName): Promise<void> => {
    const engine = running.get(name)
    running.delete(name)
    await engine?.close()
  }

  const open = async (name: EngineName): Promise<{ readonly engine: Engine; readonly pages: number }> => {
    const bytes = read()
    progress()
    const engine = startEngine(name, limits)
    running.set(name, engine)
    try {
      return { engine, pages: await engine.open(bytes) }
    } catch (error) {
      await close(name)
      throw error
    }
  }

  const pageWith = async (name: EngineName, index: number): Promise<PageImage> => {
    const engine = running.get(name) ?? (await open(name)).engine
    progress()
    const page = await engine.page(index, drawing)
    if (engine.memory() > MAX_MEMORY) await close(name)
    return page
  }

  /** With a new engine where the one that is there has too much of the pages before in its memory. */
  const drawWith = async (name: EngineName, index: number): Promise<PageImage> => {
    const used = (running.get(name)?.memory() ?? 0) > 0
    return pageWith(name, index).catch(async (error: unknown) => {
      if (!used || !(error instanceof EngineExhausted)) throw error
      await close(name)
      return pageWith(name, index)
    })
  }

  const page = async (index: number): Promise<ReadPage> => {
    const problems: string[] = []
    for (const name of usable) {
      try {
        const drawn = await drawWith(name, index)
        return problems[0] ? { ...drawn, instead: problems[0] } : drawn
      } catch (error) {
        if (error instanceof IngestError) throw error
        if (closed) throw new IngestError("The PDF was closed while a page was being drawn", { cause: error })
        problems.push(said(name, error))
        if (error instanceof EngineLost) await close(name)
        if (error instanceof EngineExhausted) break
        if (error instanceof EngineLost && name === "pdfium") usable = ["pdfjs"]
      }
    }
    throw new Error(problems.join("; "))
  }

  const openFirst = async (): Promise<{ readonly pages: number; readonly problems: readonly string[] }> => {
    const problems: string[] = []
    for (const name of usable) {
      try {
        const { pages } = await open(name)
        if (pages > 0) {
          if (problems.length > 0) usable = [name]
          return { pages, problems }
        }
        await close(name)
        problems.push(`${LABELS[name]}: the file has no pages`)
      } catch (error) {
        if (error instanceof IngestError) throw error
        if (error instanceof PdfError && error.password) {
          throw new IngestError(
            "The PDF is encrypted and opens only with a password; remove the password and run again",
          )
        }
        problems.push(said(name, error))
        if (error instanceof EngineExhausted) break
      }
    }
    const known = damage ? [damage, ...problems] : problems
    throw new IngestError(`Expected a whole PDF, found one that cannot be opened (${known.join("; ")})`)
  }

  const { pages, problems } = await openFirst()
  return {
    pages,
    instead: problems[0],
    page,
    close: async () => {
      closed = true
      await Promise.all([...running.keys()].map(close))
    },
  }
}
