/** Comparing what was found with what was expected. */
import { deepStrictEqual } from "node:assert"

/** @throws {Error} where the two differ, with both of them. */
export const same = (what: string, found: unknown, expected: unknown): void => {
  try {
    deepStrictEqual(found, expected)
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${what}: ${text}`, { cause })
  }
}
