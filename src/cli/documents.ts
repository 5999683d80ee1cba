/** Loading the pipeline documents that a command names. */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { type Loaded, type LoadOptions, loadPipelines } from "../config/load.ts"
import { ConfigError } from "../model/errors.ts"
import type { Environment } from "./environment.ts"

/** By its name; such as editors hide are none. */
export const isDocument = (name: string): boolean => /^[^.].*\.ya?ml$/.test(name)

/** The documents in a folder, by their names; a file as it is. */
const documentsIn = async (path: string): Promise<readonly string[]> => {
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isDirectory()) return [path]
  const names = (await readdir(path)).filter(isDocument).sort()
  if (names.length === 0)
    throw new ConfigError(`${path}: expected pipeline documents (.yaml, .yml) in the folder, found none`)
  return names.map((name) => join(path, name))
}

/**
 * The pipelines of the documents, and of those in folders that are named.
 *
 * @throws {ConfigError} with the problems of all of them.
 */
export const loadAll = async (
  files: readonly string[],
  overrides: readonly string[],
  env: Environment,
  options: LoadOptions = {},
): Promise<readonly Loaded[]> => {
  const loaded: Loaded[] = []
  const problems: string[] = []
  for (const file of (await Promise.all(files.map(documentsIn))).flat()) {
    try {
      loaded.push(...(await loadPipelines(file, env, overrides, options)))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push(error.message)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join("\n"))
  return loaded
}
