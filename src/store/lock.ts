/**
 * One writer per table: a lock file that names host, process, the time that process started, and a token.
 *
 * It is taken over only where its holder is known to be dead: on the same host, when no process has that id, or
 * another one has been given it since. Everything else is for a person to decide (`sluice unlock`).
 */
import { randomUUID } from "node:crypto"
import { existsSync, readFileSync } from "node:fs"
import { link, mkdir, readdir, readFile, rename, rm, unlink, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { basename, dirname, join } from "node:path"
import { FatalError, TableError } from "../model/errors.ts"

interface Holder {
  readonly host: string
  readonly pid: number
  /** When the process started, in the system's own count; a process id alone may have been given to another. */
  readonly started: string
  readonly token: string
  readonly since: string
}

export interface Lock {
  /** @throws {FatalError} when the lock has been taken away (`sluice unlock`). */
  check(): Promise<void>
  release(): Promise<void>
}

/** Folder of Sluice's own files inside a database. */
export const stateFolder = (folder: string): string => join(folder, ".sluice")

const lockPath = (folder: string, table: string): string => join(stateFolder(folder), `${table}.lock`)

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code

const isMissing = (error: unknown): boolean => hasCode(error, "ENOENT")

/**
 * Field 22 of /proc/PID/stat, see proc(5); empty where there is no /proc, or no such process. One that has ended counts
 * as none: it keeps its id until its parent asks for its end, and some parents (a container's first process) never do.
 */
const startTime = async (pid: number): Promise<string> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return fields[0] === "Z" || fields[0] === "X" ? "" : (fields[19] ?? "")
  } catch (error) {
    if (isMissing(error) || hasCode(error, "ESRCH")) return ""
    throw error
  }
}

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !hasCode(error, "ESRCH")
  }
}

const isGone = async (pid: number): Promise<boolean> =>
  !exists(pid) || (existsSync("/proc/self/stat") && (await startTime(pid)) === "")

/** A file beside the lock, named after this process, so that what is left of a killed one can be told. */
const scratchPath = (path: string): string => `${path}.${hostname()}.${process.pid}.${randomUUID()}`

/** Removes the scratch files of processes that were killed. */
const sweepScratch = async (path: string): Promise<void> => {
  const prefix = `${basename(path)}.${hostname()}.`
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(prefix)) continue
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    // Two who sweep at once may both have seen it.
    if (await isGone(pid)) await rm(join(dirname(path), name), { force: true })
  }
}

const isDead = async (holder: Holder): Promise<boolean> => {
  if (holder === EMPTIED) return true
  if (holder.host !== hostname()) return false
  if (!exists(holder.pid)) return true
  return holder.started !== "" && (await startTime(holder.pid)) !== holder.started
}

/** A lock appears with its content; one without has lost it together with the machine's power. */
const EMPTIED: Holder = { host: "", pid: 0, started: "", token: "", since: "" }

/** Synchronous, as it is read before each commit: a small file takes a tenth of the time that way. */
const readHolder = (path: string): Holder | undefined => {
  try {
    const text = readFileSync(path, "utf8")
    if (/^\0*$/.test(text)) return EMPTIED
    const holder = JSON.parse(text)
    if (typeof holder?.token !== "string" || typeof holder.pid !== "number") throw new SyntaxError("no lock")
    return holder
  } catch (error) {
    if (isMissing(error)) return undefined
    if (error instanceof SyntaxError) {
      throw new TableError(`The lock file ${path} is damaged; if nothing writes to the table, delete it`)
    }
    throw error
  }
}

/** Moves the lock away if it is still the one that was judged. Of two who try, one succeeds. */
const remove = async (path: string, token: string): Promise<boolean> => {
  // A lock that is known to be another's is not even moved for a moment: its holder could take it for lost.
  if (readHolder(path)?.token !== token) return false
  const aside = scratchPath(path)
  try {
    await rename(path, aside)
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
  const moved = readHolder(aside)
  if (moved && moved.token !== token) {
    // Somebody else had taken over in between: put theirs back. Should a third have come meanwhile, theirs stands
    // and the second finds at its next commit that it has lost the lock.
    await link(aside, path).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error
    })
  }
  await unlink(aside)
  return moved?.token === token
}

const describe = (holder: Holder): string => `process ${holder.pid} on ${holder.host} since ${holder.since}`

/** The lock, also from a holder that is dead; or who holds it: a living process, or one on another host. */
export const tryLock = async (folder: string, table: string): Promise<Lock | { readonly heldBy: string }> => {
  const path = lockPath(folder, table)
  await mkdir(stateFolder(folder), { recursive: true })
  const own: Holder = {
    host: hostname(),
    pid: process.pid,
    started: await startTime(process.pid),
    token: randomUUID(),
    since: new Date().toISOString(),
  }
  const draft = scratchPath(path)
  await writeFile(draft, JSON.stringify(own))
  try {
    for (;;) {
      try {
        // A link appears with its content or not at all, and never over another one.
        await link(draft, path)
        break
      } catch (error) {
        if (!hasCode(error, "EEXIST")) throw error
      }
      const holder = readHolder(path)
      if (!holder) continue
      if (!(await isDead(holder))) return { heldBy: describe(holder) }
      await remove(path, holder.token)
    }
    await sweepScratch(path)
  } finally {
    await unlink(draft)
  }
  return {
    check: async () => {
      const holder = readHolder(path)
      if (holder?.token === own.token) return
      throw new FatalError(
        `The lock of table ${JSON.stringify(table)} was taken away${holder ? ` by ${describe(holder)}` : ""}; nothing more was written after the last commit`,
      )
    },
    release: async () => {
      await remove(path, own.token)
    },
  }
}

/**
 * Takes the lock of a table, also from a holder that is dead.
 *
 * @throws {TableError} when a living process (or one on another host) holds it.
 */
export const acquireLock = async (folder: string, table: string): Promise<Lock> => {
  const lock = await tryLock(folder, table)
  if (!("heldBy" in lock)) return lock
  throw new TableError(
    `Table ${JSON.stringify(table)} is being written by ${lock.heldBy}. Wait for it, or, if you know that it is gone, free the table with: sluice unlock ${table}`,
  )
}

/** Locks of what belongs to a table: a schedule's lease. */
const belongings = async (folder: string, table: string): Promise<string[]> => {
  const names = existsSync(stateFolder(folder)) ? await readdir(stateFolder(folder)) : []
  return names.flatMap((name) => (name.startsWith(`${table}__`) && name.endsWith(".lock") ? [name.slice(0, -5)] : []))
}

/** Frees a table, and the schedules into it, whoever holds them; says who held it, or undefined when nobody did. */
export const unlock = async (folder: string, table: string): Promise<string | undefined> => {
  let heldBy: string | undefined
  for (const name of [table, ...(await belongings(folder, table))]) {
    const path = lockPath(folder, name)
    const holder = readHolder(path)
    if (holder && (await remove(path, holder.token))) heldBy ??= describe(holder)
  }
  return heldBy
}
