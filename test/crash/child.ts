/** A process that ingests, as the crash tests start and kill it; and what it leaves. */
import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { connect } from "@lancedb/lancedb"
import type { Summary } from "../../src/model/events.ts"
import type { ChildTask } from "./ingest-child.ts"

const child = fileURLToPath(new URL("./ingest-child.ts", import.meta.url))

export interface Ended {
  readonly killed: boolean
  readonly summary: Summary | undefined
  readonly stderr: string
}

/** Moments at which a test may kill the process: at its start, and after each of its commits. */
export interface Watch {
  readonly started?: (process: ChildProcess) => unknown
  readonly committed?: (process: ChildProcess) => unknown
}

export const ingest = (task: ChildTask, watch: Watch = {}): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const started = spawn(process.execPath, [child, JSON.stringify(task)], { stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let stderr = ""
    started.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk
      for (const _ of String(chunk).matchAll(/^committed$/gm)) watch.committed?.(started)
    })
    started.stderr.on("data", (chunk) => (stderr += chunk))
    started.on("error", reject)
    started.on("close", (code, signal) => {
      if (code !== 0 && signal !== "SIGKILL") reject(new Error(`exit ${code} ${signal}: ${stderr}`))
      else
        resolve({
          killed: signal === "SIGKILL",
          summary: stdout.endsWith("}\n") ? JSON.parse(stdout.trim().split("\n").at(-1) ?? "") : undefined,
          stderr,
        })
    })
    watch.started?.(started)
  })

/** A watch that kills at a moment that depends on how far the process has come, so that no machine is too slow for it. */
export const randomKill = (commits: number, early = false): Watch => {
  let left = Math.floor(Math.random() * commits)
  const later = (process: ChildProcess, milliseconds: number) =>
    setTimeout(() => process.kill("SIGKILL"), Math.random() * milliseconds)
  return early
    ? { started: (process) => later(process, 1000) }
    : { committed: (process) => left-- === 0 && later(process, 40) }
}

export type Tables = Readonly<Record<string, readonly string[]>>

const hash = (value: Uint8Array): string => createHash("sha256").update(value).digest("hex")

/** Every row of every table as text, without what may differ between runs: the commit, the run and the store's own ids. */
export const readTables = async (uri: string): Promise<Tables> => {
  const db = await connect(uri)
  const tables: Record<string, string[]> = {}
  for (const name of (await db.listTables()).tables.filter((one) => one.startsWith("t"))) {
    const table = await db.openTable(name)
    const blobs = await table.blobColumns()
    const rows = await table.query().withRowId().toArray()
    const ids = rows.map((row) => BigInt(row._rowid))
    const contents = new Map<string, (Buffer | null)[]>()
    for (const column of blobs) contents.set(column, await table.fetchBlobs(column, ids))
    tables[name] = rows.map((row, index) => {
      const plain: Record<string, unknown> = {}
      for (const [column, value] of Object.entries(row.toJSON())) {
        if (["_commit", "_rowid", "run"].includes(column)) continue
        const bytes = contents.get(column)?.[index] ?? value
        plain[column] = bytes instanceof Uint8Array ? hash(bytes) : typeof bytes === "bigint" ? String(bytes) : bytes
      }
      return JSON.stringify(plain, Object.keys(plain).sort())
    })
    table.close()
  }
  // Records come in the order of failures; which of them share a commit is chance.
  return { ...tables, t__items: [...(tables.t__items ?? [])].sort() }
}

export const fileCount = async (uri: string): Promise<number> => {
  const table = await (await connect(uri)).openTable("t")
  return (await table.stats()).fragmentStats.numFragments
}

/** What no run may leave behind. */
export const leftovers = (uri: string): string[] =>
  readdirSync(uri, { recursive: true })
    .map(String)
    .filter((name) => /\.tmp|\.lock/.test(name))
