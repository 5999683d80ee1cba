/** Videos, PDFs and texts: each file becomes rows that can be asked and searched. */
import assert from "node:assert/strict"
import { initializeWasm, ManagedClient } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
for (const table of ["security_videos", "manuals", "reports"]) await client.dropTable(table)

// Videos: a row for each 10 seconds.
const videos = await client.ingest(
  "security_videos",
  { path: ["inputs/camera1.mp4", "inputs/camera2.mp4"] },
  { schema: { path: "FILE" } },
)
console.log(`Ingested ${videos.rowCount} video segments`)
assert.equal(videos.rowCount, 10)

const segments = await client
  .table("security_videos")
  .select("id", "file_id", "start_time", "end_time", "text")
  .where("start_time > $1", 60)
  .limit(10)
  .execute()
for (const { start_time, end_time } of segments) console.log(`Segment: ${start_time}s - ${end_time}s`)
assert.equal(segments.length, 1)

// PDFs: a row for each page, with its picture and its text.
const manuals = await client.ingest(
  "manuals",
  { path: ["inputs/manual1.pdf", "inputs/manual2.pdf"] },
  { schema: { path: "FILE" }, index: ["text"], onProgress: (rows) => console.log(`Written ${rows} rows...`) },
)
console.log(`Processed ${manuals.rowCount} pages`)
assert.equal(manuals.rowCount, 5)
for (const condition of ["text LIKE '%installation%'", "text @> 'installation'"]) {
  const pages = await client.query(
    `SELECT file_id, page_index, text FROM manuals WHERE ${condition} ORDER BY page_index`,
  )
  for (const { text, page_index } of pages) console.log(`Found on page ${page_index}: ${text}`)
  assert.deepEqual(
    pages.map(({ page_index }) => page_index),
    [1, 2],
  )
}

// Texts: pieces of so many characters, which share some with their neighbours.
const report = await client.ingest(
  "reports",
  { path: ["inputs/report.txt"] },
  { schema: { path: "FILE" }, chunkSize: 500, chunkOverlap: 100 },
)
assert.equal(report.rowCount, 7)
