import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { openCache } from "../../src/hub/cache.ts"
import { type HubFile, openHub, type Revision } from "../../src/hub/client.ts"
import { download } from "../../src/hub/download.ts"
import { listTree, pinRevision } from "../../src/hub/tree.ts"
import type { Fault } from "../fixtures/hub/exchange.ts"
import { startHub } from "../fixtures/hub.ts"
import { tempFolder } from "../fixtures/temp.ts"

const hub = await startHub()
const never = new AbortController().signal
const client = openHub({ hubUrl: hub.url, retry: { tries: 3, wait: 1, longestWait: 2, idle: 300 } })
const bytes = (size: number, seed = 7): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (Math.imul(i, 2654435761) >>> 13) + seed)

/** Files of the given sizes; each is content that no other has. */
const push = async (
  sizes: readonly number[],
  lfsFrom = 0,
): Promise<{ readonly at: Revision; readonly files: HubFile[] }> => {
  const content = sizes.map((size, index) => [`${index}.bin`, bytes(size, index)])
  hub.push("o/d", Object.fromEntries(content), { lfsFrom })
  const at = await pinRevision(client, "o/d", "main", never)
  const files = await listTree(client, at, never)
  hub.seen.length = 0
  return { at, files }
}

const ranges = () => hub.seen.filter(({ server }) => server === "storage").map(({ range }) => range)

beforeEach(() => {
  hub.seen.length = 0
  hub.faults.length = 0
})

describe("a download", () => {
  const get = async (faults: readonly Fault[], there?: Uint8Array, lfsFrom = 0) => {
    const { at, files } = await push([100_000], lfsFrom)
    hub.faults.push(...faults)
    const target = join(await tempFolder(), "file")
    if (there) await writeFile(target, there)
    const [file] = files
    if (!file) throw new Error("there is a file")
    await download(client, at, file, target, never)
    return readFile(target)
  }
  const whole = Buffer.from(bytes(100_000, 0))

  it.each([0, 1 << 20])("is the file, in LFS or not", async (lfsFrom) => {
    expect(await get([], undefined, lfsFrom)).toEqual(whole)
  })

  it("goes on where the connection broke, and where it ended too early", async () => {
    expect(
      await get([
        { path: "/lfs/", closeAfter: 30_000 },
        { path: "/lfs/", closeAfter: 20_000, truncateAfter: 70_000 },
      ]),
    ).toEqual(whole)
    expect(ranges()).toEqual(["bytes=0-", "bytes=30000-", "bytes=50000-"])
  })

  it("goes on where an earlier process was cut", async () => {
    expect(await get([], bytes(100_000, 0).subarray(0, 60_000))).toEqual(whole)
    expect(ranges()).toEqual(["bytes=60000-"])
  })

  it("asks for nothing when all of it is there, and for all of it when what is there is longer", async () => {
    expect(await get([], bytes(100_000, 0))).toEqual(whole)
    expect(ranges()).toEqual([])
    expect(await get([], bytes(100_001, 0))).toEqual(whole)
    expect(ranges()).toEqual(["bytes=0-"])
  })

  it("begins anew when what was there is of another file", async () => {
    expect(await get([], bytes(60_000, 99))).toEqual(whole)
    expect(ranges()).toEqual(["bytes=60000-", "bytes=0-"])
  })

  it("begins anew when the server gives all instead of the rest", async () => {
    expect(
      await get([
        { path: "/lfs/", closeAfter: 30_000 },
        { path: "/lfs/", ignoreRange: true },
      ]),
    ).toEqual(whole)
  })

  it("notices that the server's file is another one now", async () => {
    const other = { path: "/lfs/", content: bytes(100_000, 50), etag: '"other"' }
    expect(await get([{ ...other, closeAfter: 30_000 }])).toEqual(whole)
    // The etag is not that of the beginning, so `If-Range` brings the whole file.
    expect(ranges()).toEqual(["bytes=0-", "bytes=30000-"])
  })

  it("is refused when it is not what was listed, also the second time", async () => {
    await expect(get([{ path: "/lfs/", content: bytes(100_000, 50), times: 9 }])).rejects.toThrow(
      /0.bin: what the Hub sends is not what it lists \(sha256 [0-9a-f]{64}\)/,
    )
    expect(ranges()).toEqual(["bytes=0-"])
    hub.faults.length = 0
    await expect(get([{ path: "/lfs/", content: bytes(99_000, 50) }])).rejects.toThrow(
      /expected 100000 bytes, as the Hub lists it, found 99000/,
    )
  })

  it("takes any number of cuts as long as each brings a good part of it", async () => {
    const { at, files } = await push([12 << 20])
    const [file] = files
    hub.faults.push({ path: "/lfs/", closeAfter: 2 << 20, times: 5 })
    const target = join(await tempFolder(), "file")
    if (file) await download(client, at, file, target, never)
    expect((await stat(target)).size).toBe(12 << 20)
    expect(ranges()).toHaveLength(6)
  })
})

describe("the cache", () => {
  it("keeps later files back until there is room, but never the one that is read next", async () => {
    const { at, files } = await push([60_000, 50_000, 40_000, 30_000])
    const dir = await tempFolder()
    const cache = await openCache(client, at, { dir, maxBytes: 100_000, keep: false })
    const [a, b, c, d] = files
    if (!a || !b || !c || !d) throw new Error("there are four files")
    // Later files fill the cache first.
    for (const [file, order] of [
      [c, 2],
      [d, 3],
    ] as const)
      cache.ahead(file, order, never)
    await Promise.all([cache.take(c, 2, never), cache.take(d, 3, never)]).then(async ([heldC, heldD]) => {
      let came = false
      const second = cache.take(b, 1, never).then((held) => {
        came = true
        return held
      })
      // It comes before all that is there, so it is let in beyond the bound; only then there would be an end.
      const heldB = await second
      expect(came).toBe(true)
      cache.ahead(a, 4, never)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(hub.seen.some(({ url }) => url.endsWith("0.bin"))).toBe(false)
      await Promise.all([heldB, heldC, heldD].map((held) => held.release("read")))
      await (await cache.take(a, 4, never)).release("read")
    })
    expect(await readdir(dir)).toEqual([])
  })

  it("takes over what a killed process had got, and not what a living one has", async () => {
    const { at, files } = await push([100_000])
    const [file] = files
    const dir = await tempFolder()
    if (!file) throw new Error("there is a file")
    const options = { dir, maxBytes: 1e9, keep: false }
    const held = await (await openCache(client, at, options)).take(file, 0, never)
    const [name = ""] = await readdir(dir)
    expect(name).toMatch(new RegExp(`^sha256-${file.oid}\\.[0-9a-f]{8}-${process.pid}-\\d+\\.bin$`))
    await held.release("cut")
    hub.seen.length = 0
    // Of a process that is no more: its number is larger than any.
    const start = bytes(100_000, 0).subarray(0, 70_000)
    await writeFile(join(dir, name.replace(`-${process.pid}-`, "-99999999-")), start)
    await writeFile(join(dir, name), bytes(0))
    // 1 is always there.
    const living = name.replace(`-${process.pid}-`, "-1-")
    await writeFile(join(dir, living), start)
    const again = await openCache(client, at, options)
    const both = await Promise.all([again.take(file, 0, never), again.take(file, 1, never)])
    for (const one of both) {
      expect(await readFile(one.path)).toEqual(Buffer.from(bytes(100_000, 0)))
      await one.release("read")
    }
    expect(ranges().sort()).toEqual(["bytes=0-", "bytes=70000-"])
    expect(await readdir(dir)).toEqual([living])
  })

  it("keeps files when it is told to, under a name that other runs find", async () => {
    const { at, files } = await push([100_000])
    const [file] = files
    const dir = await tempFolder()
    if (!file) throw new Error("there is a file")
    for (let run = 0; run < 2; run++) {
      const cache = await openCache(client, at, { dir, maxBytes: 1e9, keep: true })
      await (await cache.take(file, 0, never)).release("read")
    }
    expect(await readdir(dir)).toEqual([`sha256-${file.oid}.bin`])
    expect(ranges()).toHaveLength(1)
  })

  it("stops what runs ahead when it is aborted, and goes on with it later", async () => {
    const { at, files } = await push([100_000])
    const [file] = files
    const dir = await tempFolder()
    if (!file) throw new Error("there is a file")
    const options = { dir, maxBytes: 1e9, keep: false }
    const abort = new AbortController()
    const cache = await openCache(client, at, options)
    hub.faults.push({ path: "/lfs/", slow: 1000 })
    cache.ahead(file, 0, abort.signal)
    await new Promise((resolve) => setTimeout(resolve, 300))
    abort.abort(new Error("enough"))
    await expect(cache.take(file, 0, never)).rejects.toThrow("enough")
    const [part = ""] = await readdir(dir)
    const { size } = await stat(join(dir, part))
    expect(size).toBeGreaterThan(0)
    expect(size).toBeLessThan(100_000)
    const held = await (await openCache(client, at, options)).take(file, 0, never)
    expect(await readFile(held.path)).toEqual(Buffer.from(bytes(100_000, 0)))
    expect(ranges()).toEqual(["bytes=0-", `bytes=${size}-`])
    await held.release("read")
  })
})
