import { Client, createIndex, listIndexes } from "sluice"

/** Notes with a vector each, found by words, by a vector, and by both. */
export const findNotes = async (uri: string) => {
  const client = new Client({ uri })
  const text = ["The engine stops", "Oil for the engines", "A café by the sea", null]
  const embedding = [
    [1, 0],
    [0.8, 0.6],
    [0, 1],
    [0.6, 0.8],
  ]
  await client.ingest("notes", { n: [1, 2, 3, 4], text, embedding })

  const words = await client.search("notes", { query: "engine sea", columns: ["n"] })
  const all = await client.search("notes", { query: "CAFE sea", match: "all", columns: ["n"] })
  const near = await client.search("notes", { query: [0, 2], filter: "n < 4", limit: 2, columns: ["n"] })
  const hybrid = { query: "engine", weights: { vector: 0.7, text: 0.3 } }
  const both = await client.search("notes", { query: [0, 1], hybrid, limit: 3, columns: ["n"] })

  await createIndex(uri, "notes", "text", { stem: true })
  const stems = await client.search("notes", { query: "engine", columns: ["n"] })
  return { words, all, near, both, stems, indexes: await listIndexes(uri, "notes") }
}
