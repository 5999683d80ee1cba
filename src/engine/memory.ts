/** What the memory of workers is bounded by (docs/decisions/0012): of this machine, or of the container that this is in. */
import { totalmem } from "node:os"
import { formatBytes } from "../model/units.ts"

/** What one child process may take. */
const SHARE = 1 / 4

/** Bytes that a child process may take where nobody says. */
export const processMemory = (): number => {
  // 0, or more than there is: nothing is said.
  const constrained = process.constrainedMemory()
  return Math.floor((constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()) * SHARE)
}

/** Why a worker was ended; `setting` is what can be raised for items that are meant to be so large. */
export const tooMuch = (bytes: number, where: string, setting: string): string =>
  `needed more than ${formatBytes(bytes)} of memory${where}; if the item is what it should be, raise "${setting}"`
