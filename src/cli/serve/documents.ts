/**
 * The pipeline documents of folders and files, looked at again and again. A change is taken in once it has stood still
 * for one look: a file that is being written is not read half way. What is wrong in a file leaves what it held before.
 */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { type Loaded, type LoadOptions, loadPipelines } from "../../config/load.ts"
import { ConfigError, messageOf } from "../../model/errors.ts"
import type { ScheduleSpec } from "../../schedule/schedule.ts"
import { isDocument } from "../documents.ts"
import type { Environment } from "../environment.ts"

export interface Scheduled extends Loaded {
  readonly schedule: ScheduleSpec
}

export interface Found {
  /** Those with a schedule; names are unique. */
  readonly scheduled: readonly Scheduled[]
  readonly others: readonly Loaded[]
  /** A text for each file that is wrong, and for each name that is given twice. */
  readonly problems: readonly string[]
}

const isMissing = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ENOENT"

const isScheduled = (loaded: Loaded): loaded is Scheduled => loaded.schedule !== undefined

interface File {
  /** Tells one state of the file from another. */
  readonly print: string
  readonly documents: readonly Loaded[]
  readonly problem?: string
}

export const openDocuments = (paths: readonly string[], env: Environment, options: LoadOptions = {}) => {
  let files = new Map<string, File>()
  let prints = ""
  let seen = ""

  /** Paths that were files when they were there. */
  const named = new Set<string>()

  /** The files of a folder, or the one file that is named. */
  const filesOf = async (path: string): Promise<string[]> => {
    // A file that is named can be taken away; a folder that is not there may be a disk that is not mounted.
    const found = named.has(path) ? undefined : await stat(path)
    if (!found?.isDirectory()) {
      named.add(path)
      return [path]
    }
    return (await readdir(path))
      .filter(isDocument)
      .sort()
      .map((name) => join(path, name))
  }

  const list = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>()
    for (const file of (await Promise.all(paths.map(filesOf))).flat()) {
      try {
        const { mtimeMs, ctimeMs, size, ino } = await stat(file)
        found.set(file, `${mtimeMs}:${ctimeMs}:${size}:${ino}`)
      } catch (error) {
        if (!isMissing(error)) throw error
      }
    }
    return found
  }

  const read = async (file: string, print: string): Promise<File> => {
    const before = files.get(file)
    if (before?.print === print) return before
    try {
      return { print, documents: await loadPipelines(file, env, [], options) }
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return { print, documents: before?.documents ?? [], problem: error.message }
    }
  }

  const load = async (found: ReadonlyMap<string, string>): Promise<Found> => {
    const next = new Map<string, File>()
    for (const [file, print] of found) next.set(file, await read(file, print))
    files = next
    const documents = [...files.values()].flatMap((file) => file.documents)
    const problems = [...files.values()].flatMap(({ problem }) => problem ?? [])
    const scheduled = new Map<string, Scheduled>()
    for (const one of documents.filter(isScheduled)) {
      const { name } = one.document
      const other = scheduled.get(name)
      if (other)
        problems.push(
          `${one.file}: the name ${JSON.stringify(name)} is that of a pipeline in ${other.file}; give it another one`,
        )
      else scheduled.set(name, one)
    }
    return { scheduled: [...scheduled.values()], others: documents.filter((one) => !isScheduled(one)), problems }
  }

  return {
    /** @throws {ConfigError} for a folder or file that cannot be read. */
    load: async (): Promise<Found> => {
      try {
        const found = await list()
        prints = JSON.stringify([...found])
        seen = prints
        return await load(found)
      } catch (error) {
        throw new ConfigError(`${paths.join(", ")}: cannot be read: ${messageOf(error)}`, { cause: error })
      }
    },
    /** What there is now; undefined when nothing has changed since it was last given. */
    look: async (): Promise<Found | undefined> => {
      const found = await list().catch((error: unknown) => {
        // Once it goes well again, that is a change.
        prints = ""
        throw error
      })
      const now = JSON.stringify([...found])
      const stands = now === seen
      seen = now
      if (!stands || now === prints) return undefined
      prints = now
      return load(found)
    },
  }
}
