/** What a pipeline in YAML calls: which texts are worth it, and a vector for each of them. */
import type { StageBatch, StageContext } from "sluice"

type Texts = StageBatch<{ text: "TEXT" }>

const ENDPOINT = process.env.EMBEDDER ?? "http://localhost:8080/embed"

export const isWritten = (batch: Texts) => batch.column("text").map((text) => text !== null && text.trim() !== "")

export const embedTexts = async (batch: Texts, { signal }: StageContext) => {
  const body = JSON.stringify({ texts: batch.column("text") })
  const response = await fetch(ENDPOINT, { method: "POST", body, signal })
  if (!response.ok) throw new Error(`${ENDPOINT} answered ${response.status}`)
  const { vectors } = (await response.json()) as { readonly vectors: readonly number[][] }
  return { embedding: vectors }
}
