/** The components that a command knows: Sluice's own, and those of plugins that it is given. */
import { join } from "node:path"
import { loadPlugins } from "../config/plugins.ts"
import { BUILT_IN, type Registry, withPlugin } from "../config/registry.ts"
import { ConfigError } from "../model/errors.ts"

/**
 * @param names files, relative to the working directory, and packages.
 * @throws {ConfigError} when one cannot be loaded, or has what is there already.
 */
export const componentsOf = async (names: readonly string[]): Promise<Registry> => {
  const { plugins, problems } = await loadPlugins(names, join(process.cwd(), "sluice.yaml"))
  if (problems.length > 0) {
    throw new ConfigError(problems.map(({ at, message }) => `--plugin ${names[at]}: ${message}`).join("\n"))
  }
  return plugins.reduce((registry, { name, exports }) => withPlugin(registry, name, exports), BUILT_IN)
}
