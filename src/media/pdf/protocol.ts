/**
 * What a thread that runs a PDF engine is asked, and what it answers: one request at a time, one reply to each.
 * `memory` is what the engine has taken and does not give back, in bytes.
 */
import type { Drawing, PageImage } from "./page.ts"

export type EngineName = "pdfium" | "pdfjs"

export type Request =
  | { readonly kind: "open"; readonly bytes: Uint8Array; readonly mostMemory: number }
  | { readonly kind: "page"; readonly index: number; readonly drawing: Drawing }
  | { readonly kind: "close" }

export type Reply =
  | { readonly kind: "opened"; readonly pages: number }
  | { readonly kind: "page"; readonly page: PageImage; readonly memory: number }
  | { readonly kind: "closed"; readonly memory: number }
  | { readonly kind: "error"; readonly message: string; readonly password: boolean }
  /** It may take no more memory, and is of no use any more. */
  | { readonly kind: "exhausted" }
