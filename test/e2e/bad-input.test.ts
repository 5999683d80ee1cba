/** What people's folders hold: each broken file costs one clear record, each odd name is a name like any other. */
import { execFileSync } from "node:child_process"
import { chmod, mkdir, readFile, symlink, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { beforeAll, expect, it } from "vitest"
import { readRows } from "../../src/dataset/rows.ts"
import type { Summary } from "../../src/model/events.ts"
import { filesPlan, run } from "../../src/pipeline.ts"
import { lance } from "../../src/sinks/lance.ts"
import { files } from "../../src/sources/files.ts"
import { collect } from "../fixtures/collect.ts"
import { blackPng } from "../fixtures/image.ts"
import { pdfOf } from "../fixtures/pdf.ts"
import { tempFolder } from "../fixtures/temp.ts"
import { writeVideo } from "../fixtures/video.ts"

let root = ""
let summary: Summary
let records: Map<string, { status: string; error: string }>
let rows: Readonly<Record<string, unknown>>[]

const plan = () =>
  filesPlan({
    name: "bad",
    source: files({ include: join(root, "files") }),
    sink: lance({ uri: join(root, "data"), table: "t" }),
  })

beforeAll(async () => {
  root = await tempFolder()
  const folder = join(root, "files")
  await mkdir(join(folder, "a folder.mp4"), { recursive: true })
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content)
  const jpeg = await sharp({ create: { width: 900, height: 700, channels: 3, background: "teal" } })
    .jpeg()
    .toBuffer()

  for (const name of ["zero.txt", "zero.jpg", "zero.pdf", "zero.mp4", "zero.bin"]) await write(name, "")
  await write("truncated.jpg", jpeg.subarray(0, jpeg.length / 2))
  await write("a picture.txt", jpeg)
  await write("a text.png", "this is no picture")
  await write("a text.mp4", "this is no video")
  await write("a text.pdf", "this is no document")
  await write("bomb.png", await blackPng(20_000, 20_000))
  await write("secret.pdf", pdfOf([{ text: "hidden" }], { password: "open sesame" }))
  const document = pdfOf(Array.from({ length: 5 }, (_, page) => ({ text: `page ${page}` })))
  await write("truncated.pdf", document.subarray(0, document.length * 0.6))
  await writeVideo(join(folder, "whole.mp4"), { seconds: 12, fastStart: true })
  const video = await readFile(join(folder, "whole.mp4"))
  await write("truncated.mp4", video.subarray(0, video.length * 0.6))
  await writeVideo(join(folder, "no index.mp4"), { seconds: 2 })
  await truncate(join(folder, "no index.mp4"), 5000)
  await write("a folder.mp4/inside.md", "inside a folder with the name of a video")
  for (const name of ["-dash.md", "two  spaces.md", "new\nline.md", "日本語 ünï.md", "'quoted\".md", "100%[1].md"]) {
    await write(name, `the file ${name}`)
  }
  await symlink(join(folder, "nowhere"), join(folder, "broken link.md"))
  await write("unreadable.md", "nobody may read this")
  await chmod(join(folder, "unreadable.md"), 0)
  execFileSync("mkfifo", [join(folder, "pipe.txt")])

  summary = await run(plan())
  rows = await collect(
    readRows(join(root, "data"), "t", { columns: ["_item", "_row", "filename", "text", "chunk_index"] }),
  )
  const read = await collect(readRows(join(root, "data"), "t__items", { columns: ["_item", "status", "error"] }))
  records = new Map(read.map((row) => [String(row._item), { status: String(row.status), error: String(row.error) }]))
}, 120_000)

it.each([
  ["zero.txt", "empty", /no rows/],
  ["zero.jpg", "failed", /no bytes/],
  ["zero.pdf", "failed", /empty|0 bytes/i],
  ["zero.mp4", "failed", /empty|0 bytes/i],
  ["truncated.jpg", "failed", /cut off|truncated|ends|premature/i],
  ["a text.png", "failed", /expected .*found/i],
  ["a text.mp4", "failed", /expected .*found|no video/i],
  ["a text.pdf", "failed", /expected .*found|no PDF/i],
  ["bomb.png", "failed", /20,?000/],
  ["secret.pdf", "failed", /password/],
  ["truncated.pdf", "failed", /Expected a whole PDF/],
  ["truncated.mp4", "partial", /\d/],
  ["no index.mp4", "failed", /./],
])("%s is %s, and its record says why", (name, status, error) => {
  expect(records.get(name)?.status).toBe(status)
  expect(records.get(name)?.error).toMatch(error)
})

it("takes odd names for what they are, and content for what it is", () => {
  const texts = new Map(rows.filter((row) => row._row === 0).map((row) => [String(row._item), row.text]))
  for (const name of ["-dash.md", "two  spaces.md", "new\nline.md", "日本語 ünï.md", "'quoted\".md", "100%[1].md"]) {
    expect(texts.get(name)).toBe(`the file ${name}`)
  }
  expect(texts.get("a folder.mp4/inside.md")).toBe("inside a folder with the name of a video")
  expect(rows.find((row) => row._item === "a picture.txt")).toMatchObject({
    filename: "a picture.txt",
    chunk_index: null,
  })
  expect(rows.some((row) => row._item === "zero.bin")).toBe(true)
})

it("counts everything once, and says what it did not list", () => {
  const { listed, done, partial, empty, failed, pending } = summary.items
  expect(listed).toBe(done + empty + failed)
  expect(pending).toBe(0)
  expect([partial, empty]).toEqual([1, 1])
  expect(summary.ending).toBe("complete")
  expect(summary.warnings.join()).toMatch(/1 symbolic link.*1 socket, pipe or device/)
})

it("skips known failures the next time, without trying them", async () => {
  const again = await run(plan())
  expect(again.rows).toBe(0)
  expect(again.items).toMatchObject({ done: 0, failed: summary.items.failed, unchanged: summary.items.done })
})

it("records a file that may not be read", () => {
  if (process.getuid?.() === 0) {
    console.warn("SKIPPED: root may read every file, so the unreadable one is read")
    expect(records.has("unreadable.md")).toBe(false)
  } else {
    expect(records.get("unreadable.md")?.error).toMatch(/permission/i)
  }
})
