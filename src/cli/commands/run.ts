/** `sluice run FILE...` */

import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { type OutputOptions, runPlans } from "../running.ts"

interface RunOptions extends OutputOptions {
  readonly set?: readonly string[]
  readonly strict?: boolean
}

/** Nothing is run before all documents have been found to be right. */
export const runCommand = (files: readonly string[], options: RunOptions, env: Environment): Promise<number> =>
  runPlans(async () => (await loadAll(files, options.set ?? [], env, options)).map(({ plan }) => plan), {
    ...options,
    env,
  })
