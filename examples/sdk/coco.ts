/** COCO, as panoptic segments and as objects with captions. */
import assert from "node:assert/strict"
import { Coco, CocoPanoptic, initializeWasm, ManagedClient } from "sluice"

await initializeWasm()
const client = new ManagedClient({ token: "" })
for (const table of ["panoptic", "coco_val"]) await client.dropTable(table)

const { rowCount } = await client.ingest("panoptic", null, {
  format: new CocoPanoptic({
    imagesDir: "inputs/coco/val2017",
    masksDir: "inputs/coco/panoptic_val2017",
    annotations: "inputs/coco/annotations/panoptic_val2017.json",
  }),
})
console.log(`Ingested ${rowCount} images`)
assert.equal(rowCount, 12)

const rows = await client.table("panoptic").select("coco_image_id", "filename", "segments_info").limit(10).execute()
for (const row of rows) {
  const segments = JSON.parse(row.segments_info as string)
  console.log(`Image ${row.filename}: ${segments.length} segments`)
  assert.equal(segments.length, 2)
}

// Objects: the files with the annotations are found by the folder's name.
await client.ingest("coco_val", null, { format: new Coco({ imagesDir: "inputs/coco/val2017", maxImages: 100 }) })
const crowded = await client.query(`
  SELECT coco_image_id, filename, num_objects, captions FROM coco_val
  WHERE num_objects > 10 ORDER BY num_objects DESC LIMIT 5
`)
for (const row of crowded) {
  const captions: string[] = JSON.parse(row.captions as string)
  console.log(`Image ${row.filename}: ${row.num_objects} objects, captions: ${captions.join("; ")}`)
}
assert.deepEqual(
  crowded.map(({ num_objects }) => num_objects),
  [12, 11],
)

// Four sizes of each picture, made while ingesting.
const [small] = await client.query(`SELECT count(*) AS n FROM "coco_val__thumbnails" WHERE dimension = '32x32'`)
assert.equal(small?.n, 12)
