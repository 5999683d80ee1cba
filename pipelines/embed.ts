/** What pipelines/embeddings.yaml calls: which texts are worth a vector, and a service that gives one for each. */
import type { StageBatch, StageContext } from "sluice"

type Texts = StageBatch<{ text: "TEXT" }>

const ENDPOINT = process.env.EMBEDDER ?? "http://localhost:8080/embed"

export const isLong = (batch: Texts) => batch.column("text").map((text) => (text?.trim().length ?? 0) >= 20)

export const embed = async (batch: Texts, { signal }: StageContext) => {
  const body = JSON.stringify({ texts: batch.column("text") })
  const response = await fetch(ENDPOINT, { method: "POST", body, signal })
  if (!response.ok) throw new Error(`${ENDPOINT} answered ${response.status}`)
  const { vectors } = (await response.json()) as { readonly vectors: readonly number[][] }
  return { embedding: vectors }
}
