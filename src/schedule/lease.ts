/**
 * Who runs a schedule, and what it has done: a lock and a small file beside the tables that it writes into. Whoever has
 * the lock (the lease) runs, and changes the file; everybody may read it. It is taken over as a table's lock is.
 */
import { createHash } from "node:crypto"
import { readFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { sideTable } from "../store/database.ts"
import { stateFolder, tryLock } from "../store/lock.ts"

export interface State {
  /** What was due up to this instant (milliseconds since 1970) is settled: it was started, skipped or missed. */
  readonly until: number
  /** The due time of the run that goes on; when nobody has the lease, of one that was cut off. */
  readonly running: number | null
  /** Of the schedule that `until` stands for. */
  readonly cron: string
  readonly timezone: string
}

export interface Lease {
  /** @throws {FatalError} when the lease was taken away (`sluice unlock`). */
  save(state: State): Promise<void>
  release(): Promise<void>
}

export interface Leases {
  read(): Promise<State | undefined>
  take(): Promise<Lease | { readonly heldBy: string }>
}

const isState = (value: unknown): value is State =>
  typeof value === "object" &&
  value !== null &&
  "until" in value &&
  typeof value.until === "number" &&
  "running" in value &&
  (value.running === null || typeof value.running === "number")

/** The file's content; undefined for what a loss of power has left of it. */
const parse = (text: string): State | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isState(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The leases of a pipeline's schedule into a table in `folder`. */
export const leasesIn = (folder: string, table: string, pipeline: string): Leases => {
  const name = sideTable(table, `schedule-${createHash("sha256").update(pipeline).digest("hex").slice(0, 8)}`)
  const path = join(stateFolder(folder), `${name}.json`)
  return {
    read: async () => {
      try {
        return parse(await readFile(path, "utf8"))
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
        throw error
      }
    },
    take: async () => {
      const lock = await tryLock(folder, name)
      if ("heldBy" in lock) return lock
      return {
        save: async (state) => {
          await lock.check()
          // There is one who writes.
          const draft = `${path}.draft`
          await writeFile(draft, `${JSON.stringify({ pipeline, ...state })}\n`, { flush: true })
          await rename(draft, path)
        },
        release: lock.release,
      }
    },
  }
}

/** Those of a table that is nowhere on this machine: nobody else runs it, and nothing is kept beyond the process. */
export const leasesInMemory = (): Leases => {
  let state: State | undefined
  return {
    read: async () => state,
    take: async () => ({
      save: async (next) => {
        state = next
      },
      release: async () => {},
    }),
  }
}
