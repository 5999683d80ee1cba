import { chmod, link, mkdir, rm, stat, symlink, unlink, utimes, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { dirname, join, relative } from "node:path"
import { beforeEach, describe, expect, it } from "vitest"
import { fileVersion } from "../../src/media/file-version.ts"
import { ConfigError, IngestError } from "../../src/model/errors.ts"
import type { Item } from "../../src/model/item.ts"
import { type FilesOptions, files } from "../../src/sources/files.ts"
import { collect } from "../fixtures/collect.ts"
import { tempFolder } from "../fixtures/temp.ts"

let folder = ""

beforeEach(async () => {
  folder = await tempFolder()
})

const at = (path: string): string => join(folder, path)

/** Writes empty files, with their folders. */
const put = async (...paths: readonly string[]): Promise<void> => {
  for (const path of paths) {
    await mkdir(dirname(at(path)), { recursive: true })
    await writeFile(at(path), path)
  }
}

interface Listing {
  readonly items: readonly Item[]
  readonly ids: readonly string[]
  readonly warnings: readonly string[]
}

const list = async (options: FilesOptions, signal = new AbortController().signal): Promise<Listing> => {
  const warnings: string[] = []
  const items = await collect(files(options).items({ signal, warn: (text) => warnings.push(text) }))
  return { items, ids: items.map(({ id }) => id), warnings }
}

/** The same with paths relative to the test's folder. */
const here = (include: string | readonly string[], options: Omit<FilesOptions, "include"> = {}): Promise<Listing> =>
  list({ include: typeof include === "string" ? at(include) : include.map(at), ...options })

const errors = ({ items }: Listing): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(items.filter(({ error }) => error !== undefined).map(({ id, error }) => [id, error]))

describe("what is listed", () => {
  it("is every file of a folder, sorted by code units, folders where their name sorts", async () => {
    await put("b.txt", "a/z.txt", "a/B/1", "a.txt", "é.txt", "B.txt", "a-1.txt", "z/deep/er/file", "10", "9")
    expect((await here("")).ids).toEqual([
      "10",
      "9",
      "B.txt",
      "a/B/1",
      "a/z.txt",
      "a-1.txt",
      "a.txt",
      "b.txt",
      "z/deep/er/file",
      "é.txt",
    ])
  })

  it("has size, absolute path and a version of size and time", async () => {
    await put("a.txt")
    await utimes(at("a.txt"), 1_700_000_000.25, 1_700_000_000.25)
    const { items } = await here("")
    expect(items).toEqual([{ id: "a.txt", uri: at("a.txt"), version: "5:1700000000250", bytes: 5 }])
    expect(items[0]?.version).toBe(fileVersion(await stat(at("a.txt"))))
    await writeFile(at("a.txt"), "longer")
    expect((await here("")).items[0]?.version).not.toBe(items[0]?.version)
  })

  it("takes names of any kind, and folders that look like files", async () => {
    const names = [
      "a b.txt",
      "-rf",
      "new\nline/x.txt",
      "日本/😀.txt",
      "a[1].txt",
      "b*",
      "{c,d}",
      "clip.mp4/part.txt",
      "q?",
    ]
    await put(...names)
    expect((await here("")).ids.toSorted()).toEqual(names.toSorted())
    for (const name of names) expect((await here(name)).items.map(({ uri }) => uri)).toEqual([at(name)])
    expect((await here("**")).ids.toSorted()).toEqual(names.toSorted())
    expect((await here("**/*.txt")).ids).toContain("new\nline/x.txt")
  })

  it("is found from the working directory, too", async () => {
    await put("sub/a.txt")
    const path = relative(process.cwd(), folder)
    expect((await list({ include: path })).items[0]?.uri).toBe(at("sub/a.txt"))
    expect((await list({ include: `${path}/*/*.txt` })).ids).toEqual(["sub/a.txt"])
  })

  it("comes in chunks from large folders, complete", async () => {
    const names = Array.from({ length: 1500 }, (_, i) => `d${i % 3}/${String(i).padStart(4, "0")}`)
    await put(...names)
    expect((await here("")).ids).toEqual(names.toSorted())
  })
})

describe("globs", () => {
  it("match as in a shell, with ** for any depth", async () => {
    await put("a/1.jpg", "a/2.png", "a/b/3.jpg", "c/4.jpg", "5.jpg")
    const cases: Readonly<Record<string, readonly string[]>> = {
      "*.jpg": ["5.jpg"],
      "*/*.jpg": ["a/1.jpg", "c/4.jpg"],
      "**/*.jpg": ["5.jpg", "a/1.jpg", "a/b/3.jpg", "c/4.jpg"],
      "a/**/*.{jpg,png}": ["1.jpg", "2.png", "b/3.jpg"],
      "{a/b,c}/*": ["a/b/3.jpg", "c/4.jpg"],
      "**/b/*": ["a/b/3.jpg"],
      "[ac]/?.jpg": ["a/1.jpg", "c/4.jpg"],
      "!(a)/*": ["c/4.jpg"],
    }
    for (const [glob, ids] of Object.entries(cases)) expect([glob, (await here(glob)).ids]).toEqual([glob, ids])
  })

  it("do not look into folders that cannot hold a match", async () => {
    await put("a/x/1.txt", "b/x/2.txt")
    await symlink("nowhere", at("b/x/broken.txt"))
    expect(errors(await here("a/*/*.txt", { symlinks: "follow" }))).toEqual({})
    expect(errors(await here("*/y/*.txt", { symlinks: "follow" }))).toEqual({})
    expect(Object.keys(errors(await here("*/x/*.txt", { symlinks: "follow" })))).toEqual(["b/x/broken.txt"])
  })

  it("may start in a folder whose name looks like a glob", async () => {
    await put("set [1]/(x)/a.txt", "set 1/(x)/b.txt")
    expect((await here("set [1]/(x)/*.txt")).items.map(({ uri }) => uri)).toEqual([at("set [1]/(x)/a.txt")])
  })

  it("that match nothing warn", async () => {
    await put("a.txt")
    const { ids, warnings } = await here(["*.pdf", "none/**/*.txt"])
    expect(ids).toEqual([])
    expect(warnings).toEqual([
      `No file matches ${JSON.stringify(at("*.pdf"))} (looked in ${folder})`,
      `No file matches ${JSON.stringify(at("none/**/*.txt"))} (looked in ${at("none")})`,
    ])
  })
})

describe("several includes", () => {
  it("come in their order, with ids from the folder that holds them all, each file once", async () => {
    await put("x/a/1.txt", "x/b/2.txt", "x/b/3.txt")
    const { ids } = await here(["x/b/3.txt", "x/a", "x/b/*.txt", "x/b"])
    expect(ids).toEqual(["b/3.txt", "a/1.txt", "b/2.txt"])
    expect((await here("x/b/3.txt")).ids).toEqual(["3.txt"])
    expect((await here(["x/b/3.txt", "x/b/2.txt"])).ids).toEqual(["3.txt", "2.txt"])
  })

  it("take ids from the root that is given, and stay in it", async () => {
    await put("x/a/1.txt", "xy/2.txt")
    expect((await here("x/a", { root: folder })).ids).toEqual(["x/a/1.txt"])
    await expect(here("xy", { root: at("x") })).rejects.toThrow(ConfigError)
    await expect(here("xy", { root: at("x") })).rejects.toThrow(/^files\.root: expected a folder that holds all/)
  })

  it("fail as a whole when one path does not exist, before the first item", async () => {
    await put("a.txt", "report (1).pdf")
    await symlink("gone", at("link"))
    for (const name of ["missing.txt", "a.txt/b", "report (2).pdf", "link"]) {
      const run = here(["a.txt", name])
      await expect(run).rejects.toThrow(IngestError)
      await expect(run).rejects.toThrow(`File not found: ${at(name)}`)
    }
  })

  it("have to be there, and not negated", async () => {
    expect(() => files({ include: [] })).toThrow(ConfigError)
    await expect(list({ include: "" })).rejects.toThrow(ConfigError)
    await expect(list({ include: "!*.txt" })).rejects.toThrow(/name what is not wanted in "exclude"/)
  })
})

describe("exclude", () => {
  it("leaves out names at any depth, paths, and globs", async () => {
    await put("a.txt", "a.tmp", "d/b.tmp", "d/node_modules/m/x.js", "d/c.txt", "e/f/g.txt", "[h].txt")
    const without = async (...exclude: readonly string[]): Promise<readonly string[]> =>
      (await here("", { exclude })).ids
    expect(await without("*.tmp", "node_modules")).toEqual(["[h].txt", "a.txt", "d/c.txt", "e/f/g.txt"])
    expect(await without(at("d"), at("a.*"))).toEqual(["[h].txt", "e/f/g.txt"])
    expect(await without(`${at("d")}/`, "**/f/*.txt", "[h].txt")).toEqual(["a.tmp", "a.txt"])
    expect(await without(at("*/**"), "?.tmp")).toEqual(["[h].txt", "a.txt"])
    expect((await here(["a.txt", "d/b.tmp"], { exclude: ["*.tmp"] })).ids).toEqual(["a.txt"])
  })

  it("says when a path excludes nothing, which may be a mistake", async () => {
    await put("a.txt")
    const { warnings } = await here("", { exclude: ["*.tmp", at("drafts"), at("a.txt")] })
    expect(warnings).toEqual([`Nothing was excluded by ${JSON.stringify(at("drafts"))}`])
  })
})

describe("hidden files", () => {
  beforeEach(() => put(".env", ".git/config", "d/.x.txt", "d/y.txt"))

  it("are passed by and counted, unless wanted", async () => {
    const { ids, warnings } = await here("")
    expect(ids).toEqual(["d/y.txt"])
    expect(warnings).toEqual([expect.stringContaining("3 hidden files or folders")])
    expect(await here("", { hidden: true })).toMatchObject({
      ids: [".env", ".git/config", "d/.x.txt", "d/y.txt"],
      warnings: [],
    })
  })

  it("are taken when they are named", async () => {
    expect((await here(".env")).ids).toEqual([".env"])
    expect((await here(".git")).ids).toEqual(["config"])
    expect((await here("**/.x*")).ids).toEqual(["d/.x.txt"])
    expect((await here("*/config")).ids).toEqual([])
    expect((await here("**/.git/*")).ids).toEqual([".git/config"])
    expect(await here("**/*.txt")).toMatchObject({
      ids: ["d/y.txt"],
      warnings: [expect.stringContaining("2 hidden")],
    })
  })
})

describe("symbolic links", () => {
  beforeEach(async () => {
    await put("real/a.txt", "tree/b.txt")
    await symlink("../real", at("tree/folder"))
    await symlink("../real/a.txt", at("tree/file"))
    await symlink("gone", at("tree/broken"))
    await symlink("..", at("tree/up"))
    await symlink("self", at("tree/self"))
  })

  it("are passed by and counted", async () => {
    const { ids, warnings } = await here("tree")
    expect(ids).toEqual(["b.txt"])
    expect(warnings).toEqual([expect.stringContaining("5 symbolic links (symlinks: follow takes them)")])
    expect((await here("tree/**/*.txt")).warnings).toEqual([expect.stringContaining("5 symbolic links")])
  })

  it("are followed when wanted, without going round in circles", async () => {
    const listing = await here("tree", { symlinks: "follow" })
    expect(listing.ids).toEqual(["b.txt", "broken", "file", "folder/a.txt", "self"])
    expect(listing.items[2]).toMatchObject({ version: fileVersion(await stat(at("real/a.txt"))), uri: at("tree/file") })
    expect(errors(listing)).toEqual({
      broken: expect.stringMatching(/^Symbolic link leads nowhere: /),
      self: expect.stringMatching(/^Symbolic link leads back to itself: /),
    })
    expect(listing.warnings).toEqual([expect.stringContaining("1 symbolic link to a folder above")])
  })

  it("are followed when they are named", async () => {
    expect((await here("tree/folder")).ids).toEqual(["a.txt"])
    expect((await here("tree/file")).items).toMatchObject([{ id: "file", bytes: "real/a.txt".length }])
  })

  it("cannot make the listing endless by doubling it at each level", async () => {
    for (let level = 0; level < 30; level++) {
      await mkdir(at(`bomb/${level}`), { recursive: true })
      await symlink(`../${level + 1}`, at(`bomb/${level}/x`))
      await symlink(`../${level + 1}`, at(`bomb/${level}/y`))
    }
    await put("bomb/30/end")
    const listing = await here("bomb/0", { symlinks: "follow" })
    expect(listing.items).toHaveLength(2 ** 9)
    expect(Object.values(errors(listing))[0]).toMatch(/^More than 8 symbolic links to folders inside one another/)
  })
})

describe("what cannot be listed", () => {
  it.skipIf(process.getuid?.() === 0)(
    "is an item with an error: a folder without permission (not checked as root, who may read all)",
    async () => {
      await put("a/1.txt", "b/2.txt", "c/3.txt")
      await chmod(at("b"), 0o000)
      try {
        const listing = await here("")
        expect(listing.ids).toEqual(["a/1.txt", "b/", "c/3.txt"])
        expect(errors(listing)).toEqual({ "b/": expect.stringMatching(/^Permission denied: .*exclude it/) })
        expect((await here("b")).ids).toEqual(["./"])
      } finally {
        await chmod(at("b"), 0o755)
      }
    },
  )

  it("is an item with an error: what vanishes while it is listed", async () => {
    const names = Array.from({ length: 400 }, (_, i) => `a${String(i).padStart(3, "0")}`)
    await put(...names, "b/x")
    const items: Item[] = []
    for await (const item of files({ include: folder }).items({
      signal: new AbortController().signal,
      warn: () => {},
    })) {
      if (items.length === 0) {
        await unlink(at("a399"))
        await rm(at("b"), { recursive: true })
      }
      items.push(item)
    }
    expect(items).toHaveLength(401)
    expect(items.filter(({ error }) => error).map(({ id, error }) => [id, error?.split(":")[0]])).toEqual([
      ["a399", "Vanished while its folder was listed"],
      ["b/", "Vanished while its folder was listed"],
    ])
  })

  it("is never a socket, which is passed by inside folders and refused by name", async () => {
    await put("a.txt")
    const server = createServer()
    await new Promise<void>((done) => server.listen(at("socket"), done))
    try {
      const { ids, warnings } = await here("")
      expect(ids).toEqual(["a.txt"])
      expect(warnings).toEqual([expect.stringContaining("1 socket, pipe or device")])
      expect(errors(await here("socket"))).toEqual({ socket: expect.stringMatching(/^Not a regular file: /) })
    } finally {
      await new Promise((done) => server.close(done))
    }
  })

  it("is nothing more once the run is stopped, and the listing does not look complete", async () => {
    await put(...Array.from({ length: 600 }, (_, i) => `${i}`))
    const stop = new AbortController()
    const seen: string[] = []
    const run = async (): Promise<void> => {
      for await (const item of files({ include: folder }).items({ signal: stop.signal, warn: () => {} })) {
        seen.push(item.id)
        stop.abort(new Error("stop"))
      }
    }
    await expect(run()).rejects.toThrow("stop")
    expect(seen.length).toBeLessThan(600)
  })

  it("hard links are two files", async () => {
    await put("a")
    await link(at("a"), at("b"))
    expect((await here("")).ids).toEqual(["a", "b"])
  })
})
