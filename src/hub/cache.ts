/**
 * Files of the Hub on this disk, while their rows are read: some downloads run ahead of the reading, within a bound of
 * bytes, and a file is removed when it was read.
 *
 * Names are content and owner: `<digest>-<oid>.<host>-<pid>-<n>.<extension>`. So processes that share the folder do
 * not meet, and what a killed one had got is taken over, by renaming, which only one can. With `keep`, a whole file
 * loses its owner and stays for everyone.
 */
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import { lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises"
import { hostname, tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { ConfigError, IngestError } from "../model/errors.ts"
import type { Hub, HubFile, Revision } from "./client.ts"
import { download } from "./download.ts"
import { Passing } from "./retry.ts"

export interface CacheOptions {
  /** Default: `sluice-hub-<user>` in the system's folder for temporary files. */
  readonly dir?: string
  /** Bytes that files may take that are downloaded and not read yet. A larger file goes alone. */
  readonly maxBytes: number
  /** Whole files stay when they were read. */
  readonly keep: boolean
}

/** How reading a file ended: `cut` leaves it for the next run. */
export type Outcome = "read" | "failed" | "cut"

export interface CachedFile {
  readonly path: string
  release(outcome: Outcome): Promise<void>
}

export interface Cache {
  /** Begins to fetch a file that is going to be taken; `order` is its place among all that are. */
  ahead(file: HubFile, order: number, signal: AbortSignal): void
  /** The file, whole; waits for it as long as it takes. */
  take(file: HubFile, order: number, signal: AbortSignal): Promise<CachedFile>
}

/** Downloads at a time. */
const AT_ONCE = 4
/** What killed processes left is removed when nobody has come for it for so long. */
const STALE_MS = 7 * 24 * 3_600_000

const HOST = createHash("sha256").update(hostname()).digest("hex").slice(0, 8)
/** Names in use by this process. */
const inUse = new Set<string>()
let names = 0

/** `.parquet`, `.csv.gz`: readers go by it. */
const extensionOf = (path: string): string => /(?:\.[A-Za-z0-9]{1,12}){0,2}$/.exec(path)?.[0].toLowerCase() ?? ""

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM"
  }
}

/** Whether a file is one that a process of this machine left behind. */
const isLeft = (name: string): boolean => {
  const [, host, pid] = /^[a-z0-9]+-[0-9a-f]+\.([0-9a-f]{8})-(\d+)-\d+(?:\.|$)/.exec(name) ?? []
  if (host !== HOST || pid === undefined || inUse.has(name)) return false
  return Number(pid) === process.pid || !isAlive(Number(pid))
}

const contentOf = (name: string): string => name.slice(0, name.indexOf("."))

/** A folder of a known name where everyone may write could be made by someone else, to read or change what is in it. */
const openFolder = async (dir: string | undefined): Promise<string> => {
  if (dir !== undefined) {
    await mkdir(dir, { recursive: true })
    return dir
  }
  const { username, uid } = userInfo()
  const folder = join(tmpdir(), `sluice-hub-${uid < 0 ? username.replaceAll(/[^\w.-]/g, "_") : uid}`)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const status = await lstat(folder)
  if (!status.isDirectory() || (uid >= 0 && status.uid !== uid)) {
    throw new ConfigError(`${folder} belongs to somebody else; name another folder in "cache_dir"`)
  }
  return folder
}

/** What processes that are no more left in the folder, by content; what nobody came for in a long time is removed. */
const takeStock = async (dir: string): Promise<Map<string, string[]>> => {
  const left = new Map<string, string[]>()
  for (const name of (await readdir(dir)).filter(isLeft)) {
    const path = join(dir, name)
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (modified === undefined) continue
    if (Date.now() - modified > STALE_MS) await rm(path, { force: true })
    else left.set(contentOf(name), [...(left.get(contentOf(name)) ?? []), name])
  }
  return left
}

interface Waiting {
  readonly order: number
  readonly size: number
  readonly admit: () => void
}

/**
 * Lets downloads begin in order, within the bounds. The earliest file that is needed is let in whatever is there: the
 * later ones are not read, and make no room, before it is.
 */
const openGate = (maxBytes: number) => {
  const holders = new Map<number, number>()
  const waiting: Waiting[] = []
  let running = 0
  const admit = (): void => {
    for (;;) {
      const next = waiting.reduce<Waiting | undefined>((a, b) => (a && a.order < b.order ? a : b), undefined)
      if (!next || running >= AT_ONCE) return
      const used = [...holders.values()].reduce((sum, size) => sum + size, 0)
      const first = [...holders.keys()].every((order) => order > next.order)
      if (used + next.size > maxBytes && !first) return
      waiting.splice(waiting.indexOf(next), 1)
      holders.set(next.order, next.size)
      running++
      next.admit()
    }
  }
  return {
    enter: (order: number, size: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const give = (): void => {
          const at = waiting.indexOf(entry)
          if (at < 0) return
          waiting.splice(at, 1)
          reject(signal.reason)
        }
        const entry: Waiting = {
          order,
          size,
          admit: () => {
            signal.removeEventListener("abort", give)
            resolve()
          },
        }
        signal.addEventListener("abort", give, { once: true })
        waiting.push(entry)
        admit()
      }),
    downloaded: (): void => {
      running--
      admit()
    },
    leave: (order: number): void => {
      holders.delete(order)
      admit()
    },
  }
}

/** @throws {ConfigError} when the default folder belongs to somebody else. */
export const openCache = async (hub: Hub, at: Revision, options: CacheOptions): Promise<Cache> => {
  const dir = await openFolder(options.dir)
  const left = await takeStock(dir)
  const gate = openGate(options.maxBytes)
  const coming = new Map<number, Promise<CachedFile>>()

  /** A name of our own for the file, with what is left of it. */
  const claim = async (key: string, extension: string): Promise<string> => {
    const name = `${key}.${HOST}-${process.pid}-${names++}${extension}`
    inUse.add(name)
    for (let found = left.get(key)?.pop(); found !== undefined; found = left.get(key)?.pop()) {
      const taken = await rename(join(dir, found), join(dir, name)).then(
        () => true,
        // Another process was first.
        () => false,
      )
      if (taken) break
    }
    return name
  }

  const abandon = (name: string): void => {
    inUse.delete(name)
    left.set(contentOf(name), [...(left.get(contentOf(name)) ?? []), name])
  }

  const fetchFile = async (file: HubFile, order: number, signal: AbortSignal): Promise<CachedFile> => {
    const key = `${file.digest}-${file.oid}`
    const extension = extensionOf(file.path)
    const kept = join(dir, `${key}${extension}`)
    if (existsSync(kept)) return { path: kept, release: async () => {} }
    await gate.enter(order, file.size, signal)
    let name: string | undefined
    try {
      name = await claim(key, extension)
      await download(hub, at, file, join(dir, name), signal)
    } catch (error) {
      gate.leave(order)
      if (name !== undefined) {
        // What is wrong with the file itself will be wrong again; what broke on the way goes on next time.
        if (error instanceof IngestError && !(error.cause instanceof Passing))
          await rm(join(dir, name), { force: true })
        inUse.delete(name)
      }
      throw error
    } finally {
      gate.downloaded()
    }
    const owned = name
    const path = join(dir, owned)
    const cut = (): void => {
      abandon(owned)
      gate.leave(order)
    }
    // Whoever was reading it when the run was stopped does not come back to release it.
    signal.addEventListener("abort", cut, { once: true })
    return {
      path,
      release: async (outcome) => {
        signal.removeEventListener("abort", cut)
        if (outcome === "cut") return cut()
        if (outcome === "read" && options.keep) await rename(path, kept)
        else await rm(path, { force: true })
        inUse.delete(owned)
        gate.leave(order)
      },
    }
  }

  return {
    ahead: (file, order, signal) => {
      if (coming.has(order)) return
      const fetched = fetchFile(file, order, signal)
      coming.set(order, fetched)
      // Whoever takes the file hears of it.
      fetched.catch(() => {})
    },
    take: (file, order, signal) => {
      const started = coming.get(order)
      coming.delete(order)
      return started ?? fetchFile(file, order, signal)
    },
  }
}
