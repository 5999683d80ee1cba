/** The process that ingests as the crash tests tell it to. */
import { fileURLToPath } from "node:url"
import { connect } from "@lancedb/lancedb"
import { type Ended, runChild, type Watch } from "../fixtures/killing.ts"
import type { ChildTask } from "./ingest-child.ts"

const child = fileURLToPath(new URL("./ingest-child.ts", import.meta.url))

export const ingest = (task: ChildTask, watch?: Watch): Promise<Ended> => runChild(child, [JSON.stringify(task)], watch)

const logSyncs = new URL("../fixtures/log-syncs.ts", import.meta.url).href

/** The same with what is forced to the disk written to the file `log`. */
export const ingestLogged = (task: ChildTask, log: string): Promise<Ended> =>
  runChild(child, [JSON.stringify(task)], {}, { flags: ["--import", logSyncs], env: { SYNC_LOG: log } })

/** A watch that kills at a moment that depends on how far the process has come, so that no machine is too slow for it. */
export const randomKill = (commits: number, early = false): Watch => {
  let left = Math.floor(Math.random() * commits)
  const later: NonNullable<Watch["started"]> = (process) =>
    setTimeout(() => process.kill("SIGKILL"), Math.random() * (early ? 1000 : 40))
  return early ? { started: later } : { committed: (process) => left-- === 0 && later(process) }
}

export const fileCount = async (uri: string): Promise<number> => {
  const table = await (await connect(uri)).openTable("t")
  return (await table.stats()).fragmentStats.numFragments
}
