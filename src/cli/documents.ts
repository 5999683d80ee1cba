/** Loading the pipeline documents that a command names. */
import { type Loaded, loadPipelines } from "../config/load.ts"
import { ConfigError } from "../model/errors.ts"
import type { Environment } from "./program.ts"

/** @throws {ConfigError} with the problems of all of them. */
export const loadAll = async (
  files: readonly string[],
  overrides: readonly string[],
  env: Environment,
): Promise<readonly Loaded[]> => {
  const loaded: Loaded[] = []
  const problems: string[] = []
  for (const file of files) {
    try {
      loaded.push(...(await loadPipelines(file, env, overrides)))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"))
  return loaded
}
