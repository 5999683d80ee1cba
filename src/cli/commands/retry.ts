/** `sluice retry FILE...` */
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { type OutputOptions, runPlans } from "../running.ts"

interface RetryOptions extends OutputOptions {
  readonly set?: readonly string[]
}

/** Tries the items again that are known to have failed, and no others. */
export const retryCommand = (files: readonly string[], options: RetryOptions, env: Environment): Promise<number> =>
  runPlans(
    async () => (await loadAll(files, options.set ?? [], env)).map(({ plan }) => ({ ...plan, failed: "only" })),
    {
      ...options,
      env,
    },
  )
