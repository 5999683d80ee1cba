/** Small files that would become large or endless: each is a row or a failed item, at a bounded price. */
import { execFileSync } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { constants, deflateRawSync } from "node:zlib"
import sharp from "sharp"
import { expect, it, vi } from "vitest"
import { normalizeFile } from "../../src/normalizers/file.ts"
import { filesPlan, type RunSettings, run } from "../../src/pipeline.ts"
import { MemoryDatabase, memory } from "../../src/sinks/memory.ts"
import { files } from "../../src/sources/files.ts"
import { collect } from "../fixtures/collect.ts"
import { contextOf } from "../fixtures/context.ts"
import { itemAt } from "../fixtures/fileitem.ts"
import { svg } from "../fixtures/image.ts"
import { rowsOf } from "../fixtures/plans.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"

vi.setConfig({ testTimeout: 120_000 })

/** What becomes of the files: which have rows, and why the others have none. */
const outcome = async (content: Readonly<Record<string, string | Uint8Array>>, settings: RunSettings = {}) => {
  const folder = await tempFolder()
  for (const [name, bytes] of Object.entries(content)) await writeFile(join(folder, name), bytes)
  const database = new MemoryDatabase()
  const plan = filesPlan(
    { name: "x", source: files({ include: folder }), sink: memory({ table: "t", database }) },
    settings,
  )
  await run(plan)
  const records = rowsOf(database.rows("t__items")).map(({ _item, error }) => [_item, error])
  return {
    rows: [...new Set(rowsOf(database.rows("t"), ["_item"]).map(({ _item }) => _item))],
    failures: Object.fromEntries(records) as Readonly<Record<string, string>>,
  }
}

it("a picture that takes much memory to decode is decoded in a process of its own", async () => {
  const avif = await sharp({ create: { width: 4096, height: 4096, channels: 3, background: "teal" } })
    .avif({ effort: 0 })
    .toBuffer()
  expect(avif.length).toBeLessThan(2000)
  const path = join(await tempFolder(), "a.avif")
  await writeFile(path, avif)
  const rows = normalizeFile(await itemAt(path), { lane: "thread" }, contextOf({ lane: "thread" }))
  await expect(collect(rows)).rejects.toThrow('the item belongs to the lane "process"')
  expect(await outcome({ "a.avif": avif })).toEqual({ rows: ["a.avif"], failures: {} })
})

/**
 * A PDF of these objects, the first of which is the catalog; readers find them without a table of where they are.
 * PDFium does not when the last one is not closed; pdf.js does.
 */
const pdf = (objects: readonly (string | Uint8Array)[], { closed = true } = {}): Uint8Array =>
  Buffer.concat([
    Buffer.from("%PDF-1.7\n"),
    ...objects.flatMap((object, index) => {
      const end = closed || index + 1 < objects.length ? "\nendobj\n" : "\n"
      return [Buffer.from(`${index + 1} 0 obj\n`), Buffer.from(object), Buffer.from(end)]
    }),
    Buffer.from("trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"),
  ])

const stream = (dictionary: string, data: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`<< ${dictionary} /Length ${data.length} >>\nstream\n`), data, Buffer.from("\nendstream")])

/** So many mebibytes of spaces, packed: a block that stands for one of them, again and again. */
const packedSpaces = (mebibytes: number): Uint8Array => {
  const block = deflateRawSync(Buffer.alloc(1 << 20, " "), { finishFlush: constants.Z_FULL_FLUSH })
  return Buffer.concat([Buffer.from([0x78, 0x9c]), ...Array<Uint8Array>(mebibytes).fill(block), deflateRawSync("")])
}

it("a PDF with endless content or endless pages costs time and memory within its limits", async () => {
  const catalog = "<< /Type /Catalog /Pages 2 0 R >>"
  const pages = (kids: string, count: number): string => `<< /Type /Pages /Kids [${kids}] /Count ${count} >>`
  const page = (more: string): string => `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] ${more} >>`
  const { rows, failures } = await outcome(
    {
      // For PDFium the same is in test/fuzz.
      "unpacks.pdf": pdf(
        [
          catalog,
          pages("4 0 R", 1),
          stream("/Filter /FlateDecode", packedSpaces(2000)),
          page("/Contents 3 0 R").replace(/>>$/, ""),
        ],
        { closed: false },
      ),
      "circle.pdf": pdf([catalog, pages("2 0 R 2 0 R", 1e9)]),
      "count.pdf": pdf([catalog, pages("3 0 R", 2 ** 31 - 1), page("")]),
      "good.pdf": pdf([catalog, pages("3 0 R", 1), page("")]),
    },
    { maxItemBytes: 4 << 20 },
  )
  expect(rows).toContain("good.pdf")
  expect(failures["unpacks.pdf"]).toMatch(/None of the PDF's pages .*pdf\.js: it needs more memory than it may take/)
  expect(failures["circle.pdf"]).toMatch(/PDF/)
})

it("an SVG that is never drawn to its end, or grows without end, is given up", async () => {
  const filter = `<filter id="f"><feConvolveMatrix order="100" kernelMatrix="${"1 ".repeat(10_000)}"/></filter>`
  const levels = Array.from({ length: 8 }, (_, at) => `<!ENTITY e${at + 1} "${`&e${at};`.repeat(10)}">`).join("")
  const endless = {
    "endless.svg": svg(256, 256, `${filter}${'<rect width="256" height="256" filter="url(#f)"/>'.repeat(5000)}`),
  }
  const entities = { "entities.svg": `<!DOCTYPE svg [<!ENTITY e0 "x">${levels}]>${svg(10, 10, "<text>&e8;</text>")}` }
  const [given, others] = await Promise.all([
    outcome(endless, { workers: { timeout: 2000 } }),
    outcome({ ...entities, "good.svg": svg(10, 10, "") }),
  ])
  expect(given).toEqual({ rows: [], failures: { "endless.svg": "no progress for 2 s" } })
  expect(others).toEqual({
    rows: ["good.svg"],
    failures: { "entities.svg": expect.stringMatching(/Damaged SVG: .*(entity|reference|loop)/i) },
  })
})

it("what names other files in place of a video is no video", async () => {
  const folder = await tempFolder()
  const secret = join(folder, "secret.mp4")
  writeVideo(secret, { seconds: 1 })
  const { rows, failures } = await outcome({
    "hls.mp4": `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://${secret}\n#EXT-X-ENDLIST\n`,
    "concat.mp4": `ffconcat version 1.0\nfile '${secret}'\n`,
    "dash.mp4": `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
    "rtsp.mkv": "rtsptext\nrtsp://127.0.0.1:9/secret\n",
  })
  expect(rows).toEqual([])
  for (const name of ["hls.mp4", "concat.mp4", "dash.mp4", "rtsp.mkv"]) {
    expect(failures[name]).toMatch(/the content is no video in a container that can be read/)
  }
})

it("a text of zeros, or without an end of its lines, is taken in pieces", async () => {
  const zeros = join(await tempFolder(), "zeros.txt")
  execFileSync("truncate", ["-s", "1T", zeros])
  const item = await itemAt(zeros)
  await expect(collect(normalizeFile(item, { lane: "thread" }, contextOf({ maxBytes: 1 << 20 })))).rejects.toThrow(
    /1\.0 TiB; an item of this kind is held in memory whole, and may have at most 1\.0 MiB/,
  )
})
