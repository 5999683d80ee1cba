/**
 * Entry of a thread that runs one PDF engine: the one that its `workerData` names. What leaves the engine in an unknown
 * state ends the thread, which its owner notices.
 */
import { parentPort, workerData } from "node:worker_threads"
import { messageOf } from "../../model/errors.ts"
import { type PdfDocument, PdfError } from "./page.ts"
import type { EngineName, Reply, Request } from "./protocol.ts"

const name: EngineName = workerData
const engine = name === "pdfium" ? (await import("./pdfium.ts")).pdfium : (await import("./pdfjs.ts")).pdfjs

// pdf.js works on several things at once and leaves the failures of some behind; the one that counts is answered.
if (name === "pdfjs") process.on("unhandledRejection", () => undefined)

let document: PdfDocument | undefined

const answer = async (request: Request): Promise<Reply> => {
  if (request.kind === "open") {
    document = await engine.open(request.bytes, request.mostMemory)
    return { kind: "opened", pages: document.pages }
  }
  if (request.kind === "close") {
    await document?.close()
    document = undefined
    return { kind: "closed", memory: engine.memory() }
  }
  if (!document) throw new Error("no document is open")
  return { kind: "page", page: await document.page(request.index, request.drawing), memory: engine.memory() }
}

parentPort?.on("message", async (request: Request) => {
  let reply: Reply
  try {
    reply = await answer(request)
  } catch (error) {
    if (engine.isExhausted()) return parentPort?.postMessage({ kind: "exhausted" } satisfies Reply)
    // WebAssembly has no way to unwind its own stack: after an exception from inside, PDFium cannot be trusted.
    if (name === "pdfium" && !(error instanceof PdfError)) throw error
    reply = { kind: "error", message: messageOf(error), password: error instanceof PdfError && error.password }
  }
  parentPort?.postMessage(reply, reply.kind === "page" ? [reply.page.pixels.data.buffer as ArrayBuffer] : [])
})
