/** What the package says of itself. */
import { readFileSync } from "node:fs"
import { ConfigError } from "../model/errors.ts"

interface Package {
  readonly version: string
  readonly engines: { readonly node: string }
}

const own: Package = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

export const VERSION = own.version

const numbersOf = (version: string): readonly number[] => version.replace(/^\D+/, "").split(".").map(Number)

/** @throws {ConfigError} when this Node is older than the package needs: what is loaded later would not be understood. */
export const checkNode = (found: string = process.versions.node): void => {
  const { node } = own.engines
  const [major = 0, minor = 0] = numbersOf(node)
  const [foundMajor = 0, foundMinor = 0] = numbersOf(found)
  if (foundMajor > major || (foundMajor === major && foundMinor >= minor)) return
  throw new ConfigError(
    `expected Node ${node}, found ${found}; install a newer one, or "npm install node" beside sluice`,
  )
}
