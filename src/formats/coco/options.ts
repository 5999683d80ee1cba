/** Checks of what both formats are given. */
import { describeValue } from "../../model/describe.ts"
import { ConfigError } from "../../model/errors.ts"

/** @throws {ConfigError} for a count that is given and is no whole number of at least 1. */
export const checkCount = (name: string, count: number | undefined): void => {
  if (count === undefined || (Number.isSafeInteger(count) && count >= 1)) return
  throw new ConfigError(`${name}: expected a whole number of at least 1, found ${describeValue(count)}`)
}

/** @throws {ConfigError} for something else than a text that is not empty. */
export const checkPath = (name: string, path: string): void => {
  if (typeof path === "string" && path !== "") return
  throw new ConfigError(`${name}: expected a path, found ${describeValue(path)}`)
}
