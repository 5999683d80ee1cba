/** Shares of the cases in which something goes wrong. */
import { ConfigError } from "../model/errors.ts"

/** @throws {ConfigError} when a share is none, or all together are more than everything. */
export const checkShares = (part: string, shares: Readonly<Record<string, number | undefined>>): void => {
  let sum = 0
  for (const [name, share = 0] of Object.entries(shares)) {
    if (!(share >= 0 && share <= 1)) {
      throw new ConfigError(`faulty ${part}: expected a share from 0 to 1 as ${name}, found ${share}`)
    }
    sum += share
  }
  // Sums of decimal fractions are a little off.
  if (sum > 1 + 1e-9) {
    throw new ConfigError(`faulty ${part}: expected shares of at most 1 together, found ${sum}`)
  }
}

/** Which of the shares the number from 0 to 1 falls into; undefined when nothing goes wrong. */
export const pick = <Name extends string>(
  shares: Readonly<Partial<Record<Name, number>>>,
  number: number,
): Name | undefined => {
  let edge = 0
  for (const name of Object.keys(shares) as Name[]) {
    edge += shares[name] ?? 0
    if (number < edge) return name
  }
  return undefined
}
