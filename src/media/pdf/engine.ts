/**
 * PDF engines in threads of their own, seen from outside: a call that takes too long ends the thread, because nothing
 * else can end a call into WebAssembly. A thread keeps no process alive unless a call is under way.
 */
import { Worker } from "node:worker_threads"
import { messageOf } from "../../model/errors.ts"
import { type Drawing, type PageImage, PdfError } from "./page.ts"
import type { EngineName, Reply, Request } from "./protocol.ts"

/** The engine hung or died, and is gone with its document. */
export class EngineLost extends Error {}

/** It is gone because it wanted more memory than it may take: another one would want as much. */
export class EngineExhausted extends EngineLost {}

const exhausted = (): EngineExhausted => new EngineExhausted("it needs more memory than it may take")

export interface Engine {
  /** Takes the bytes over and returns the number of pages. */
  open(bytes: Uint8Array): Promise<number>
  page(index: number, drawing: Drawing): Promise<PageImage>
  /** Bytes that it had taken after the last page, and gives back only when it is closed. */
  memory(): number
  close(): Promise<void>
}

/** The extension of a worker's file follows our own: .ts when run from source, .js when run from dist. */
const WORKER = new URL(`./engine-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url)

/** JavaScript heap of a thread. Neither WebAssembly memory nor the bytes of pictures are part of it. */
const HEAP_MB = 512
const LOOK_MS = 250

/**
 * PDFium takes about 0.1 s to start, more than most pages: one thread of it waits for the next document, unless it has
 * taken more memory than this, because PDFium gives none back.
 */
const MAX_IDLE_MEMORY = 96 << 20
/** It does not wait for long: the files that follow may be of another medium, and need the memory themselves. */
const IDLE_MS = 500
let idle: Thread | undefined

const keepIdle = (thread: Thread): void => {
  idle = thread
  setTimeout(() => {
    if (idle === thread) thread.end("nothing asked for it")
  }, IDLE_MS).unref()
}

type ReplyOf<K extends Reply["kind"]> = Extract<Reply, { kind: K }>

/** What a document may take. */
export interface Limits {
  /** Milliseconds of each call. */
  readonly time: number
  /** Bytes outside of the heap: of WebAssembly, files and pictures. */
  readonly memory: number
}

interface Thread {
  /** Sends the request and waits for a reply of this kind, as long as the limits allow. */
  ask<K extends Reply["kind"]>(request: Request, kind: K, limits: Limits): Promise<ReplyOf<K>>
  readonly isBusy: () => boolean
  end(reason: string): void
}

const start = (name: EngineName): Thread => {
  const worker = new Worker(WORKER, {
    workerData: name,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    // What goes wrong arrives as an error; the few remarks that the libraries print belong on nobody's terminal. They
    // are not read either: reading them would keep the process alive.
    stdout: true,
    stderr: true,
  })
  worker.unref()
  let lost: EngineLost | undefined
  let settle: ((reply: Reply | EngineLost) => void) | undefined

  const end = (reason: string | EngineLost): void => {
    lost ??= typeof reason === "string" ? new EngineLost(reason) : reason
    if (idle === thread) idle = undefined
    settle?.(lost)
    void worker.terminate()
  }
  worker.on("message", (reply: Reply) => {
    if (reply.kind === "exhausted") end(exhausted())
    else settle?.(reply)
  })
  worker.on("error", (error) => end(`it died: ${messageOf(error)}`))
  worker.on("exit", (code) => end(`it left with exit code ${code}`))

  const thread: Thread = {
    ask: <K extends Reply["kind"]>(request: Request, kind: K, { time, memory }: Limits) =>
      new Promise<ReplyOf<K>>((resolve, reject) => {
        if (lost) return reject(lost)
        worker.ref()
        const timer = setTimeout(() => end(`it took longer than ${time / 1000} s`), time)
        // Also while it is inside of a loop. PDFium keeps to the limit itself; the pixels of a page come besides.
        const look = setInterval(async () => {
          const held = await worker.getHeapStatistics().catch(() => undefined)
          if (held && held.external_memory > 1.5 * memory) end(exhausted())
        }, LOOK_MS)
        settle = (reply) => {
          settle = undefined
          clearTimeout(timer)
          clearInterval(look)
          worker.unref()
          if (reply instanceof EngineLost) reject(reply)
          else if (reply.kind === "error") reject(new PdfError(reply.message, { password: reply.password }))
          else if (reply.kind === kind) resolve(reply as ReplyOf<K>)
          else reject(new Error(`expected the reply "${kind}", found "${reply.kind}"`))
        }
        worker.postMessage(request, request.kind === "open" ? [request.bytes.buffer as ArrayBuffer] : [])
      }),
    isBusy: () => settle !== undefined,
    end,
  }
  return thread
}

/**
 * An engine for one document. Calls follow one another. They reject with `PdfError` for what is wrong with the document,
 * and with `EngineLost`, for good, once the engine is gone.
 */
export const startEngine = (name: EngineName, limits: Limits): Engine => {
  const spare = name === "pdfium" ? idle : undefined
  if (spare) idle = undefined
  const thread = spare ?? start(name)
  let memory = 0

  return {
    open: async (bytes) =>
      (await thread.ask({ kind: "open", bytes, mostMemory: limits.memory }, "opened", limits)).pages,
    page: async (index, drawing) => {
      const reply = await thread.ask({ kind: "page", index, drawing }, "page", limits)
      memory = reply.memory
      return reply.page
    },
    memory: () => memory,
    close: async () => {
      // Nobody waits any more for a call that is under way, and it could go on for as long as the limits allow.
      const reusable = name === "pdfium" && !thread.isBusy()
      const closed = reusable && (await thread.ask({ kind: "close" }, "closed", limits).catch(() => undefined))
      if (closed && closed.memory <= MAX_IDLE_MEMORY && !idle) keepIdle(thread)
      else thread.end("it was closed")
    },
  }
}
