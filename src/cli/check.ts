/** Trying what a pipeline reads from and writes to, without writing anything. */
import type { Plan } from "../engine/plan.ts"

/** Asks the source for its first item, as the rest of the listing may take long. */
export const checkSource = async ({ feed }: Plan): Promise<string> => {
  const abort = new AbortController()
  try {
    for await (const item of feed.source.items({ signal: abort.signal, warn: () => {} })) {
      if (item.error !== undefined) throw new Error(`${item.id}: ${item.error}`)
      return `its first item is ${item.id}`
    }
    return "it has no items"
  } finally {
    abort.abort()
  }
}

export const checkSink = async ({ sink, mode }: Plan): Promise<string> => {
  const reader = await sink.view()
  try {
    if (reader.version === 0) return `table ${sink.table} in ${sink.uri} will be made`
    if (mode === "error") throw new Error(`table ${sink.table} exists, and the mode is "error"`)
    return `table ${sink.table} in ${sink.uri} is at version ${reader.version}`
  } finally {
    await reader.close()
  }
}
