/**
 * JSON text as a value, and values as JSON text, strictly: what `JSON.stringify` would drop or change without a word (functions, NaN, maps,
 * instances of classes, bytes) is refused. Only `undefined` is taken as JSON takes it: left out, or null in a list.
 */
import { describeValue } from "./describe.ts"
import { IngestError, messageOf } from "./errors.ts"

/** More levels of lists and objects than any data has; what follows them by recursion has a stack that ends. */
export const MOST_LEVELS = 256

const isDeep = (value: unknown): boolean => {
  let level: readonly unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MOST_LEVELS) return true
    level = level.flatMap((one) => (typeof one === "object" && one !== null ? Object.values(one) : []))
  }
  return false
}

/**
 * The value of a JSON text from outside, which may be followed by recursion.
 *
 * @throws {SyntaxError} when it is no JSON.
 * @throws {IngestError} when it is nested too deep.
 */
export const parseJson = (text: string): unknown => {
  const value: unknown = JSON.parse(text)
  // Each level takes two characters.
  if (text.length > 2 * MOST_LEVELS && isDeep(value)) {
    throw new IngestError(`expected at most ${MOST_LEVELS} levels of lists and objects, found more`)
  }
  return value
}

interface Misfit {
  readonly path: string
  readonly what: string
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** The first part of `value` that JSON cannot hold. There must be no cycles in it. */
const misfitIn = (value: unknown): Misfit | undefined => {
  if (value === null || value === undefined || typeof value === "string" || typeof value === "boolean") return undefined
  if (typeof value === "number" && Number.isFinite(value)) return undefined
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const misfit = misfitIn(value[index])
      if (misfit) return { path: `[${index}]${misfit.path}`, what: misfit.what }
    }
    return undefined
  }
  if (typeof value !== "object" || ArrayBuffer.isView(value)) return { path: "", what: describeValue(value) }
  if ("toJSON" in value) return undefined
  if (!isPlain(value)) return { path: "", what: describeValue(value) }
  for (const [key, entry] of Object.entries(value)) {
    const misfit = misfitIn(entry)
    if (misfit) return { path: `.${key}${misfit.path}`, what: misfit.what }
  }
  return undefined
}

export type JsonText = { readonly text: string } | { readonly problem: string }

/** The JSON text of a value; or what in it does not fit, in words that go after "found". */
export const jsonText = (value: unknown): JsonText => {
  try {
    const text = JSON.stringify(value)
    const misfit = misfitIn(value)
    if (misfit) return { problem: misfit.path === "" ? misfit.what : `${misfit.what} at ${misfit.path}` }
    return text === undefined ? { problem: describeValue(value) } : { text }
  } catch (error) {
    return { problem: `${describeValue(value)} (${messageOf(error).split("\n")[0]})` }
  }
}

/** Whether a text is JSON. */
export const isJson = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
