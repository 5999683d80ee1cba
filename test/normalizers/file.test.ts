import { execFileSync } from "node:child_process"
import { appendFile, rm, utimes } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { IngestError } from "../../src/model/errors.ts"
import type { Item, Plain } from "../../src/model/item.ts"
import { type Lane, WrongLane } from "../../src/model/normalizer.ts"
import { normalizeFile } from "../../src/normalizers/file.ts"
import { contextOf } from "../fixtures/context.ts"
import { fileItem, itemAt, type Run, run, values } from "../fixtures/fileitem.ts"
import { animatedGif, bmp, picture, svg } from "../fixtures/image.ts"
import { tempFolder } from "../fixtures/temp.ts"

const read = (item: Item, media: Readonly<Record<string, Plain>> = {}, lane: Lane = "thread"): Promise<Run> =>
  run(normalizeFile, item, { lane, media })

const medium = async (name: string, content: Uint8Array | string): Promise<string | undefined> =>
  (await read(await fileItem(name, content))).rows[0]?.medium

describe("normalizeFile", () => {
  it("goes by the name where the content says nothing else", async () => {
    expect(await medium("NOTES.TXT", "some text")).toBe("text")
    expect(await medium("table.csv", "a,b\n1,2\n")).toBe("text")
    expect(await medium("photo.PNG", await picture(8, 8).png().toBuffer())).toBe("image")
    expect(await medium("data.bin", Buffer.from([0, 1, 2, 3]))).toBe("other")
    expect(await medium("README", "text without an extension")).toBe("other")
    expect(await medium("archive.txt.zip", "text")).toBe("other")
  })

  it("goes by the content where that is a picture", async () => {
    expect(await medium("page.html", await picture(8, 8).jpeg().toBuffer())).toBe("image")
    expect(await medium("unnamed", await picture(8, 8).webp().toBuffer())).toBe("image")
    expect(await medium("movie.txt", await animatedGif())).toBe("image")
    expect(await medium("photo.jpg", bmp(8, 8))).toBe("image")
  })

  it("takes texts that begin as pictures do for texts", async () => {
    expect(await medium("cars.txt", "BMW and others")).toBe("text")
    expect(await medium("formats.md", "GIF89a is a format")).toBe("text")
    expect(await medium("latin.txt", Buffer.from("GIF für Anfänger", "latin1"))).toBe("text")
    expect(await medium("wide.txt", Buffer.from("BMW in UTF-16", "utf16le"))).toBe("text")
  })

  it("takes binary content under a text's name as it is", async () => {
    expect(await medium("numbers.csv", Buffer.from([1, 2, 0, 0, 5, 0, 7, 0, 0, 9]))).toBe("other")
  })

  it("hands pictures without a signature to a process, where drawing them can be stopped", async () => {
    const drawn = await fileItem("drawn.svg", svg(30, 20, "<rect/>"))
    const disguised = await fileItem("drawn.png", svg(30, 20, "<rect/>"))
    for (const item of [drawn, disguised]) {
      await expect(read(item)).rejects.toThrow(new WrongLane("process"))
      expect((await read(item, {}, "process")).rows[0]?.medium).toBe("image")
    }
    await expect(read(await fileItem("empty.svg", ""))).rejects.toThrow("found no bytes at all")
  })

  it("gives each medium its options", async () => {
    const item = await fileItem("file.txt", "abcdefgh")
    const { rows } = await read(item, { text: { chunk_size: 5, chunk_overlap: 2 } })
    expect(
      values(
        rows.map(({ batch }) => batch),
        "text",
      ),
    ).toEqual(["abcde", "defgh"])
    const shown = await fileItem("photo.png", await picture(8, 8).png().toBuffer())
    expect((await read(shown, { image: { thumbnails: false } })).rows[0]?.side).toBeUndefined()
    expect((await read(shown)).rows[0]?.side?.thumbnails?.rows).toBe(4)
  })

  it("refuses a file that is not the one that was listed", async () => {
    const listed = await fileItem("file.txt", "as it was listed")
    await appendFile(listed.uri, ", and more")
    await expect(read(listed)).rejects.toThrow(/^the file changed while it was read: size:mtime was 16:.* and is 26:/)
    await utimes(listed.uri, 1, 1)
    await expect(read({ ...listed, version: "26:2000" })).rejects.toThrow(IngestError)
    expect((await read(await itemAt(listed.uri))).rows).toHaveLength(1)
    expect((await read({ ...listed, version: "some other source's" })).rows).toHaveLength(1)
  })

  it.each(["file.txt", "file.bin"])("notices that %s grows while it is read", async (name) => {
    const item = await fileItem(name, Buffer.alloc(6 * 2 ** 20, "x"))
    const rows = normalizeFile(item, { lane: "thread" }, contextOf())[Symbol.asyncIterator]()
    expect((await rows.next()).done).toBe(false)
    await appendFile(item.uri, "more")
    const rest = async (): Promise<void> => {
      while (!(await rows.next()).done);
    }
    await expect(rest()).rejects.toThrow("the file changed while it was read")
  })

  it("says what is there instead of a file", async () => {
    const folder = await tempFolder()
    const gone = await fileItem("gone.txt", "text")
    await rm(gone.uri)
    await expect(read(gone)).rejects.toThrow(new IngestError(`File not found: ${gone.uri}`))
    await expect(read({ ...gone, uri: folder })).rejects.toThrow("Expected a regular file")
    // Opening a named pipe that nobody writes to would block the worker.
    const pipe = join(folder, "pipe.txt")
    execFileSync("mkfifo", [pipe])
    await expect(read({ ...gone, uri: pipe })).rejects.toThrow("Expected a regular file")
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 12345\n`
    await expect(read(await fileItem("data.csv", pointer))).rejects.toThrow(/\(12345 bytes\).*git lfs pull/)
  })
})
