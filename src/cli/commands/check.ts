/** `sluice check FILE...` */
import { messageOf } from "../../model/errors.ts"
import { escapeText } from "../../observe/escape.ts"
import { checkSink, checkSource } from "../check.ts"
import { print } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"

/** Touches sources and sinks without writing anything; gives the exit code. */
export const checkCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[]; readonly strict?: boolean },
  env: Environment,
): Promise<number> => {
  let failed = false
  for (const { file, plan } of await loadAll(files, options.set ?? [], env, options)) {
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
