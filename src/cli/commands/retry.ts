/** `sluice retry FILE...` */
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { runPlan } from "../running.ts"

/** Tries the items again that are known to have failed, and no others. */
export const retryCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[]; readonly json?: boolean },
  env: Environment,
): Promise<number> => {
  for (const { plan } of await loadAll(files, options.set ?? [], env)) {
    const code = await runPlan({ ...plan, failed: "only" }, { json: options.json ?? false })
    if (code !== 0) return code
  }
  return 0
}
