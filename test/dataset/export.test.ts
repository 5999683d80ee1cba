import { readdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import sharp from "sharp"
import { beforeAll, describe, expect, it } from "vitest"
import { exportColumn } from "../../src/dataset/export.ts"
import { safeName, uniqueNames } from "../../src/dataset/filename.ts"
import { bytesColumn, int32Column, textColumn } from "../../src/model/column.ts"
import { ConfigError, IngestError, TableError } from "../../src/model/errors.ts"
import { writeTable } from "../fixtures/tables.ts"
import { tempFolder } from "../fixtures/temp.ts"

const IMAGE = { name: "IMAGE" } as const
const VIDEO = { name: "VIDEO", blob: true } as const
/** The start of an MP4 file (ISO/IEC 14496-12, 4.3): size, `ftyp`, brand. */
const MP4 = Buffer.concat([Buffer.from([0, 0, 0, 16]), Buffer.from("ftypisom"), Buffer.alloc(4)])

let uri = ""
let png = Buffer.alloc(0)
let jpeg = Buffer.alloc(0)

beforeAll(async () => {
  uri = await tempFolder()
  const picture = sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
  png = await picture.clone().png().toBuffer()
  jpeg = await picture.clone().jpeg().toBuffer()
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeTable(uri, "media", [
    [
      "folder/a.pdf",
      {
        image: bytesColumn([png, jpeg, null, svg, Uint8Array.of(1, 2, 3), new Uint8Array()], IMAGE),
        video: bytesColumn([MP4, null, null, new Uint8Array(), Uint8Array.of(7), MP4], VIDEO),
        text: textColumn(["zwölf", null, "", "x", "y", "z"]),
        meta: textColumn(['{"a":1}', null, null, null, null, null], { name: "JSON" }),
        number: int32Column([1, 2, 3, 4, 5, 6]),
      },
    ],
  ])
})

const filesIn = async (dir: string): Promise<string[]> => (await readdir(dir)).sort()

describe("exportColumn", () => {
  it("writes pictures with the extension of their content", async () => {
    const dir = join(await tempFolder(), "new", "folder")
    const bytes = png.length + jpeg.length + 41 + 3
    expect(await exportColumn(uri, "media", "image", dir)).toEqual({ files: 5, skipped: 1, bytes })
    expect(await filesIn(dir)).toEqual([
      "folder_a.pdf-0.png",
      "folder_a.pdf-1.jpg",
      "folder_a.pdf-3.svg",
      "folder_a.pdf-4.bin",
      "folder_a.pdf-5.bin",
    ])
    expect(await readFile(join(dir, "folder_a.pdf-0.png"))).toEqual(png)
    expect(await readFile(join(dir, "folder_a.pdf-1.jpg"))).toEqual(jpeg)
  })

  it("writes columns that are stored out of line", async () => {
    const dir = await tempFolder()
    expect(await exportColumn(uri, "media", "video", dir)).toEqual({ files: 4, skipped: 2, bytes: 33 })
    expect(await filesIn(dir)).toEqual([
      "folder_a.pdf-0.mp4",
      "folder_a.pdf-3.bin",
      "folder_a.pdf-4.bin",
      "folder_a.pdf-5.mp4",
    ])
    expect(await readFile(join(dir, "folder_a.pdf-5.mp4"))).toEqual(MP4)
  })

  it("writes text and JSON, so many files as are asked for", async () => {
    const dir = await tempFolder()
    expect(await exportColumn(uri, "media", "text", dir, { limit: 2 })).toEqual({ files: 2, skipped: 1, bytes: 6 })
    await exportColumn(uri, "media", "meta", dir)
    expect(await filesIn(dir)).toEqual(["folder_a.pdf-0.json", "folder_a.pdf-0.txt", "folder_a.pdf-2.txt"])
    expect(await readFile(join(dir, "folder_a.pdf-0.txt"), "utf8")).toBe("zwölf")
  })

  it("keeps every item apart, in one folder, whatever the items are called", async () => {
    const items = [
      "a/b",
      "a_b",
      "A:B",
      "../../etc/passwd",
      "..",
      ".profile",
      "-rf",
      "\u001b[31mred\nline",
      "",
      "x\u202ey",
    ]
    await writeTable(
      uri,
      "names",
      items.map((item) => [item, { text: textColumn([item]) }]),
    )
    const dir = await tempFolder()
    expect(await exportColumn(uri, "names", "text", dir)).toMatchObject({ files: items.length })
    const files = await filesIn(dir)
    expect(files).toHaveLength(items.length)
    expect(files).toEqual(expect.arrayContaining(["a_b-0.txt", "a_b-0-2.txt", "A_B-0-3.txt", "____etc_passwd-0.txt"]))
    for (const file of files) expect(file).toMatch(/^[\w[][\w[.-]*\.txt$/)
    const contents = await Promise.all(files.map((file) => readFile(join(dir, file), "utf8")))
    expect(contents.sort()).toEqual([...items].sort())
  })

  it("writes over nothing, and not through a link", async () => {
    const dir = await tempFolder()
    const precious = join(await tempFolder(), "precious")
    await writeFile(precious, "mine")
    await symlink(precious, join(dir, "folder_a.pdf-0.txt"))
    const refused = exportColumn(uri, "media", "text", dir)
    await expect(refused).rejects.toThrow(IngestError)
    await expect(refused).rejects.toThrow(/folder_a\.pdf-0\.txt exists already; export into an empty folder/)
    expect(await readFile(precious, "utf8")).toBe("mine")
  })

  it("says what cannot be exported", async () => {
    const dir = join(await tempFolder(), "never")
    const number = exportColumn(uri, "media", "number", dir)
    await expect(number).rejects.toThrow(ConfigError)
    await expect(number).rejects.toThrow(/"number" is INT32: expected one of bytes or text/)
    await expect(exportColumn(uri, "media", "nope", dir)).rejects.toThrow(TableError)
    await expect(exportColumn(uri, "nope", "image", dir)).rejects.toThrow(TableError)
    await expect(exportColumn(uri, "media", "image", dir, { limit: 0 })).rejects.toThrow(ConfigError)
    await expect(filesIn(dir)).rejects.toThrow(/ENOENT/)
  })
})

describe("file names", () => {
  it("are short enough, with whole characters", () => {
    const long = safeName(`${"ordner/".repeat(50)}${"é".repeat(120)}.txt`)
    expect(Buffer.byteLength(long)).toBeLessThanOrEqual(200)
    expect(long).toMatch(/é\.txt$/)
    expect(long).not.toContain("\ufffd")
    expect(safeName("half\ud800")).toBe("half_")
  })

  it("are different even for very many of the same, on any file system", () => {
    const nameOf = uniqueNames()
    const names = Array.from({ length: 100_000 }, (_, index) => nameOf(index % 2 === 0 ? "É" : "e\u0301", "txt"))
    expect(new Set(names.map((name) => name.normalize("NFC").toLowerCase())).size).toBe(100_000)
  })
})
