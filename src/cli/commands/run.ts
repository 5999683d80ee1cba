/** `sluice run FILE...` */

import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { runPlan } from "../running.ts"

interface RunOptions {
  readonly set?: readonly string[]
  readonly json?: boolean
  readonly strict?: boolean
}

/** Nothing is run before all documents have been found to be right. */
export const runCommand = async (files: readonly string[], options: RunOptions, env: Environment): Promise<number> => {
  for (const { plan } of await loadAll(files, options.set ?? [], env, options)) {
    const code = await runPlan(plan, { json: options.json ?? false })
    if (code !== 0) return code
  }
  return 0
}
