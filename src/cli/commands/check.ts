/** `sluice check FILE...` */
import type { Plan } from "../../engine/plan.ts"
import { messageOf } from "../../model/errors.ts"
import { escapeText } from "../../observe/escape.ts"
import { print } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../program.ts"

/** Asks the source for its first item, as the rest of the listing may take long. */
const checkSource = async ({ feed }: Plan): Promise<string> => {
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

const checkSink = async ({ sink, mode }: Plan): Promise<string> => {
  const reader = await sink.view()
  try {
    if (reader.version === 0) return `table ${sink.table} in ${sink.uri} will be made`
    if (mode === "error") throw new Error(`table ${sink.table} exists, and the mode is "error"`)
    return `table ${sink.table} in ${sink.uri} is at version ${reader.version}`
  } finally {
    await reader.close()
  }
}

/** Touches sources and sinks without writing anything; gives the exit code. */
export const checkCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[] },
  env: Environment,
): Promise<number> => {
  let failed = false
  for (const { file, plan } of await loadAll(files, options.set ?? [], env)) {
    for (const [part, check] of [["source", checkSource] as const, ["sink", checkSink] as const]) {
      const told = await check(plan).then(
        (text) => `ok: ${text}`,
        (error: unknown) => {
          failed = true
          return `failed: ${messageOf(error)}`
        },
      )
      print(escapeText(`${file}: ${plan.name}: ${part} ${told}`))
    }
  }
  return failed ? 1 : 0
}
