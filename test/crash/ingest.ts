/** Starts `ingest-child.ts`, watches it, and tells how it ended. */
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Summary } from "../../src/model/events.ts"

const child = fileURLToPath(new URL("./ingest-child.ts", import.meta.url))

export interface Ended {
  readonly killed: boolean
  readonly summary: Summary | undefined
  readonly stderr: string
}

export interface Watch {
  readonly started?: (process: ChildProcess) => unknown
  readonly committed?: (process: ChildProcess) => unknown
}

/** Ingests a folder in a process of its own, with the sink of the given name; `crash` is a crash point and a count. */
export const ingestInto =
  (sink: "lance" | "parquet") =>
  (from: string, uri: string, crash: readonly string[] = [], watch: Watch = {}): Promise<Ended> =>
    new Promise((resolve, reject) => {
      const started = spawn(process.execPath, [child, sink, from, uri, ...crash], { stdio: ["ignore", "pipe", "pipe"] })
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
