import { beforeEach, describe, expect, it } from "vitest"
import { openHub } from "../../src/hub/client.ts"
import { listTree, pinRevision, readSmall } from "../../src/hub/tree.ts"
import { AuthError, ConfigError, IngestError, TokenError } from "../../src/model/errors.ts"
import { gitOid, sha256 } from "../fixtures/hub/exchange.ts"
import { startHub } from "../fixtures/hub.ts"

const hub = await startHub()
const never = new AbortController().signal
const RETRY = { tries: 4, wait: 1, longestWait: 4, idle: 300 }
const open = (token?: string) => openHub({ hubUrl: hub.url, retry: RETRY, ...(token !== undefined && { token }) })
const bytes = (size: number, seed = 7): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => (i * i + seed * i) & 255)

beforeEach(() => {
  hub.seen.length = 0
  hub.faults.length = 0
  hub.pageSize = 1000
  hub.datasets.clear()
})

describe("a dataset's tree", () => {
  it("is pinned to a commit, and stays at it when the branch moves on", async () => {
    const first = hub.push("o/d", { "a.txt": "1" })
    const at = await pinRevision(open(), "o/d", "main", never)
    hub.push("o/d", { "a.txt": "2" })
    expect(at).toEqual({ repo: "o/d", sha: first })
    const [file] = await listTree(open(), at, never)
    expect(file?.oid).toBe(gitOid(Buffer.from("1")))
  })

  it("takes branches with slashes, tags and commits for a revision", async () => {
    const sha = hub.push("o/d", { "a.txt": "1" }, { branch: "refs/convert/parquet" })
    hub.push("o/d", { "a.txt": "2" })
    for (const revision of ["refs/convert/parquet", sha]) {
      expect((await pinRevision(open(), "o/d", revision, never)).sha).toBe(sha)
    }
  })

  it("is found under a former name, and goes by the one that it has now", async () => {
    const sha = hub.push("owner/cifar10", { "a.txt": "1" })
    const now = `${hub.url}/api/datasets/owner/cifar10/revision/main`
    hub.faults.push({ path: "/api/datasets/cifar10/", status: 307, headers: { location: now } })
    expect(await pinRevision(open("hf_anyone"), "cifar10", "main", never)).toEqual({ repo: "owner/cifar10", sha })
    expect(hub.seen.map(({ authorization }) => authorization)).toEqual(["Bearer hf_anyone", "Bearer hf_anyone"])
  })

  it("comes page by page, with what each file's content is, and without folders", async () => {
    const large = bytes(20_000)
    hub.push("o/d", { "a/b/1.txt": "one", "a/2.bin": large, "empty.txt": "" }, { lfsFrom: 10_000 })
    hub.pageSize = 2
    const at = await pinRevision(open(), "o/d", "main", never)
    expect(await listTree(open(), at, never)).toEqual([
      { path: "a/2.bin", size: 20_000, oid: sha256(large), digest: "sha256" },
      { path: "a/b/1.txt", size: 3, oid: gitOid(Buffer.from("one")), digest: "git" },
      { path: "empty.txt", size: 0, oid: gitOid(Buffer.from("")), digest: "git" },
    ])
    expect(hub.seen.filter(({ url }) => url.includes("/tree/"))).toHaveLength(3)
  })

  it("is not followed to another host", async () => {
    hub.push("o/d", { "a.txt": "1" })
    hub.faults.push({
      path: "/tree/",
      status: 200,
      headers: {
        link: `<${hub.storageUrl}/api/datasets/o/d/tree/main?cursor=1>; rel="next"`,
        "content-type": "application/json",
      },
      text: "[]",
    })
    const client = open("hf_anyone")
    const at = await pinRevision(client, "o/d", "main", never)
    await expect(listTree(client, at, never)).rejects.toThrow(
      /leads on to http:\/\/127.0.0.1:\d+, which is not followed/,
    )
    expect(hub.seen.filter(({ server }) => server === "storage")).toEqual([])
  })
})

describe("a small file", () => {
  it.each(["data/odd name #1.csv", "ä/漢?字%20.txt", "a+b&c=d.txt"])("is found under %j", async (path) => {
    hub.push("o/d", { [path]: "content" })
    const at = await pinRevision(open(), "o/d", "main", never)
    const [file] = await listTree(open(), at, never)
    expect(file && Buffer.from(await readSmall(open(), at, file, 100, never)).toString()).toBe("content")
  })

  it("that is empty is not asked for, and one that is too large is refused", async () => {
    hub.push("o/d", { "a.txt": "", "b.txt": "123456" })
    const at = await pinRevision(open(), "o/d", "main", never)
    const [empty, long] = await listTree(open(), at, never)
    if (!empty || !long) throw new Error("the tree has two files")
    expect(await readSmall(open(), at, empty, 5, never)).toHaveLength(0)
    await expect(readSmall(open(), at, long, 5, never)).rejects.toThrow(/b.txt: expected at most 5 B, found more/)
    expect(hub.seen.some(({ url }) => url.includes("a.txt"))).toBe(false)
  })
})

describe("a request", () => {
  const pin = () => pinRevision(open(), "o/d", "main", never)

  it.each([
    ["429", { status: 429 }],
    ["503", { status: 503 }],
    ["a connection that breaks in the middle", { resetAfter: 10 }],
    ["an answer that is cut off", { truncateAfter: 10, resetAfter: 9 }],
    ["silence", { silentFor: 600 }],
  ])("is made again after %s", async (_, fault) => {
    const sha = hub.push("o/d", { "a.txt": "x".repeat(1000) })
    hub.faults.push({ path: "/resolve/", ...fault }, { path: "/revision/", status: 502 })
    const at = await pin()
    expect(at.sha).toBe(sha)
    const [file] = await listTree(open(), at, never)
    expect(file && (await readSmall(open(), at, file, 2000, never))).toHaveLength(1000)
  })

  it("comes back when the server says, in seconds or as a date", async () => {
    hub.push("o/d", { "a.txt": "1" })
    for (const [after, least] of [
      [() => "1", 990],
      [() => new Date(Date.now() + 2000).toUTCString(), 900],
    ] as const) {
      hub.faults.push({ path: "/revision/", status: 429, headers: { "retry-after": after() } })
      const begun = performance.now()
      await pin()
      // A date has whole seconds.
      expect(performance.now() - begun).toBeGreaterThan(least)
    }
  })

  it("is given up after so many tries, or when it would take too long, and says so", async () => {
    hub.push("o/d", { "a.txt": "1" })
    hub.faults.push({ path: "/revision/", status: 503, times: 100 })
    await expect(pin()).rejects.toThrow(/\/revision\/main: 503 Service Unavailable; given up after 4 tries/)
    expect(hub.seen).toHaveLength(4)
    hub.faults.splice(0, 1, { path: "/revision/", status: 429, headers: { "retry-after": "86400" } })
    await expect(pin()).rejects.toThrow(/429 Too Many Requests \(it asks to wait 86400 s\); given up after 1 try/)
  })

  it("ends when it is aborted, also while it waits", async () => {
    hub.push("o/d", { "a.txt": "1" })
    hub.faults.push({ path: "/revision/", status: 503, headers: { "retry-after": "60" } })
    const abort = new AbortController()
    setTimeout(() => abort.abort(new Error("enough")), 50)
    await expect(pinRevision(open(), "o/d", "main", abort.signal)).rejects.toThrow("enough")
  })

  it("is not followed to what is neither http nor https, nor round and round", async () => {
    hub.push("o/d", { "a.txt": "1" })
    hub.faults.push({ path: "/revision/", status: 302, headers: { location: "file:///etc/passwd" } })
    await expect(pin()).rejects.toThrow(/redirects to file:.*, which is not followed/)
    hub.faults.push({ path: "/revision/", status: 302, headers: { location: "?again" }, times: 100 })
    await expect(pin()).rejects.toThrow(/more than 10 redirects/)
  })
})

describe("a token", () => {
  it("goes to the Hub and not to the storage behind it", async () => {
    hub.push("o/d", { "a.bin": bytes(20_000) })
    const client = open("hf_anyone")
    const at = await pinRevision(client, "o/d", "main", never)
    const [file] = await listTree(client, at, never)
    expect(file && (await readSmall(client, at, file, 1e5, never))).toHaveLength(20_000)
    const shown = (server: string) => hub.seen.filter((one) => one.server === server).map((one) => one.authorization)
    expect(shown("hub")).toEqual(["Bearer hf_anyone", "Bearer hf_anyone", "Bearer hf_anyone"])
    expect(shown("storage")).toEqual([undefined])
  })

  it("has to begin with hf_, and does not appear in what is said about it", () => {
    expect(() => open("secret")).toThrow(TokenError)
    expect(() => open("secret")).toThrow(/begins with "hf_"/)
    expect(() => open("secret")).not.toThrow(/secret/)
    expect(() => open("hf_a b")).toThrow(TokenError)
  })
})

describe("what the Hub refuses", () => {
  const pin = (token?: string) => pinRevision(open(token), "o/d", "main", never)
  const failure = async (work: Promise<unknown>): Promise<Error> =>
    work.then(
      () => new Error("none"),
      (error: Error) => error,
    )

  it("without a token: the dataset may be private, or not there", async () => {
    hub.push("o/d", { "a.txt": "1" })
    const dataset = hub.datasets.get("o/d")
    if (dataset) dataset.token = "hf_owner"
    const error = await failure(pin())
    expect(error).toBeInstanceOf(AuthError)
    expect(error.message).toMatch(
      /Dataset "o\/d" is private, or is not at http.*Check its name, or make a token .*HF_TOKEN/,
    )
    expect((await pin("hf_owner")).repo).toBe("o/d")
    expect(await failure(pin("hf_wrong"))).toBeInstanceOf(TokenError)
  })

  it("with a token: there is no such dataset", async () => {
    const error = await failure(pin("hf_anyone"))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/Dataset "o\/d" is not at http/)
  })

  it("a gated dataset: whose terms have to be accepted first", async () => {
    hub.push("o/d", { "a.txt": "1" })
    const dataset = hub.datasets.get("o/d")
    if (dataset) dataset.gated = true
    for (const token of [undefined, "hf_anyone"]) {
      const error = await failure(pin(token))
      expect(error).toBeInstanceOf(AuthError)
      expect(error.message).toMatch(/is gated \(40[13]\).*accept its terms/)
      expect(error.message).toContain(`${hub.url}/datasets/o/d`)
      expect(error.message).not.toContain("hf_anyone")
    }
  })

  it("a revision, or a file, that is not there", async () => {
    hub.push("o/d", { "a.txt": "1" })
    const revision = await failure(pinRevision(open(), "o/d", "nowhere", never))
    expect(revision).toBeInstanceOf(ConfigError)
    expect(revision.message).toMatch(/has no revision "nowhere": expected a branch, a tag or a commit/)
    const at = await pin()
    const file = { path: "b.txt", size: 1, oid: "0".repeat(40), digest: "git" } as const
    const missing = await failure(readSmall(open(), at, file, 10, never))
    expect(missing).toBeInstanceOf(IngestError)
    expect(missing.message).toMatch(/b.txt: the file is not there at this revision/)
  })

  it("an address that is none", () => {
    for (const hubUrl of ["ftp://x", "huggingface.co", "https://user:secret@x", "https://x/?a=1"]) {
      expect(() => openHub({ hubUrl })).toThrow(/hub_url: expected an address/)
    }
  })
})
