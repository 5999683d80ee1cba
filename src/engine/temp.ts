/** A folder for intermediate files, named after the process, so that what a killed one left can be told and removed. */
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives, but is somebody else's.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH")
  }
}

/** Makes the folder, and removes those of processes that are dead. */
export const claimTempDir = async (): Promise<string> => {
  const root = tmpdir()
  for (const name of await readdir(root)) {
    const [, pid] = /^sluice-(\d+)-\w+$/.exec(name) ?? []
    if (pid && !isAlive(Number(pid))) await rm(join(root, name), { recursive: true, force: true })
  }
  return mkdtemp(join(root, `sluice-${process.pid}-`))
}
