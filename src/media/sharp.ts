/** The one place where sharp is loaded, so that its process-wide settings are made once and before its first use. */
import type sharp from "sharp"

export type Sharp = typeof sharp

let loading: Promise<Sharp> | undefined

/** sharp without its cache and with one thread a picture: the workers are the parallelism. */
export const loadSharp = (): Promise<Sharp> => {
  loading ??= import("sharp").then(({ default: loaded }) => {
    // Every picture is seen once, so a cache only holds memory.
    loaded.cache(false)
    loaded.concurrency(1)
    return loaded
  })
  return loading
}
