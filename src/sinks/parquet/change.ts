/**
 * Changes of a folder of shards, each of which happens as a whole or not at all.
 *
 * One file put in place, or taken away, is one act of the file system. Where several files change, what is to be done is
 * written down first; from then on it happens, if need be when the table is opened the next time.
 */
import { randomUUID } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"

export interface Change {
  /** Drafts, and the names that they get; a file of that name is replaced. */
  readonly put: readonly (readonly [draft: string, name: string])[]
  /** Names of files that go. */
  readonly drop: readonly string[]
}

/** Readers of the folder take no notice of what begins with a dot. */
const WORK = ".sluice"
const REDO = "redo.json"

const workFolder = (root: string): string => join(root, WORK)

/** A place for a file in the making; drafts that nothing comes of are swept when the table is opened. */
export const newDraft = async (root: string): Promise<string> => {
  await mkdir(workFolder(root), { recursive: true })
  return `${randomUUID()}.parquet`
}

export const draftPath = (root: string, draft: string): string => join(workFolder(root), draft)

/** Doing it twice does no harm. */
const redo = async (root: string, { put, drop }: Change): Promise<void> => {
  for (const [draft, name] of put) {
    const path = draftPath(root, draft)
    if (existsSync(path)) await rename(path, join(root, name))
  }
  for (const name of drop) await rm(join(root, name), { force: true })
}

const writeDown = async (root: string, change: Change): Promise<void> => {
  const draft = join(workFolder(root), `${randomUUID()}.json`)
  const file = await open(draft, "wx")
  try {
    await file.writeFile(JSON.stringify(change))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(draft, join(workFolder(root), REDO))
}

export const apply = async (root: string, change: Change): Promise<void> => {
  const files = change.put.length + change.drop.length
  if (files === 0) return
  if (files === 1) return redo(root, change)
  await mkdir(workFolder(root), { recursive: true })
  await writeDown(root, change)
  await redo(root, change)
  await rm(join(workFolder(root), REDO))
}

/** Ends the change that a killed writer had begun, and removes its drafts. Safe under the lock. */
export const recover = async (root: string): Promise<void> => {
  const work = workFolder(root)
  if (!existsSync(work)) return
  const path = join(work, REDO)
  if (existsSync(path)) await redo(root, JSON.parse(await readFile(path, "utf8")) as Change)
  for (const name of await readdir(work)) await rm(join(work, name))
}
