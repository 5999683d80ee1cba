/** Temporary files of a command, the store's included: each of its sessions makes a folder, and leaves it there. */
import { rmSync } from "node:fs"
import { claimTempDir } from "../engine/temp.ts"

/** Has everything temporary in one folder, which goes with the process, or with a later one when this one is killed. */
export const keepTogether = async (): Promise<void> => {
  // Windows has another name for it.
  if (process.platform === "win32") return
  const folder = await claimTempDir()
  process.env.TMPDIR = folder
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }))
}
