import { files, lance, Pipeline, type Plan } from "sluice"

/** Texts of a folder, each chunk with the vector that a service gives for it. */
export const embed = (folder: string, endpoint: string, uri: string): Plan =>
  Pipeline.make("notes")
    .from(files({ include: folder }))
    .normalize({ text: { chunkSize: 500, chunkOverlap: 50 } })
    .filter("written", (batch) => batch.column("text").map((text) => text !== null && text.trim() !== ""))
    .map(
      "embed",
      { embedding: "EMBEDDING(384)" },
      async (batch, { signal }) => {
        const body = JSON.stringify({ texts: batch.column("text") })
        const response = await fetch(endpoint, { method: "POST", body, signal })
        if (!response.ok) throw new Error(`${endpoint} answered ${response.status}`)
        const { vectors } = (await response.json()) as { readonly vectors: readonly number[][] }
        return { embedding: vectors }
      },
      { batch: 64, concurrency: 4, perSecond: 20, timeout: 30_000 },
    )
    .to(lance({ uri, table: "notes", index: ["text"] }), { mode: "sync" })
