/** What a worker thread may hold outside of its heap, where V8 sets no limit: the bytes of files, pictures, WebAssembly. */
import type { Worker } from "node:worker_threads"
import { tooMuch } from "./memory.ts"

const LOOK_MS = 250

/** An item is held whole, decoded and encoded beside it; and what the libraries need of their own. */
const limitOf = (maxBytes: number): number => (512 << 20) + 4 * maxBytes

/**
 * Looks at the thread every now and then, also while it is inside of a loop (but not of a native call), and calls
 * `exceeded` with a reason when it holds too much. Ends when the returned function is called.
 */
export const watchMemory = (
  thread: () => Worker | undefined,
  maxBytes: number,
  exceeded: (reason: string) => void,
): (() => void) => {
  const limit = limitOf(maxBytes)
  let asking = false
  const look = async (): Promise<void> => {
    // Inside of a native call it answers later.
    if (asking) return
    asking = true
    const held = await thread()
      ?.getHeapStatistics()
      .then(
        ({ external_memory }) => external_memory,
        // It has ended.
        () => 0,
      )
    asking = false
    if (held !== undefined && held > limit)
      exceeded(`the worker ${tooMuch(limit, " outside of its heap", "max_item_bytes")}`)
  }
  const timer = setInterval(look, LOOK_MS).unref()
  return () => clearInterval(timer)
}
