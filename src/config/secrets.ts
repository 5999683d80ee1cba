/** `${secret:NAME}`: where secrets come from. They stand only where nobody is shown them: see `secret-places.ts`. */
import { readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { messageOf } from "../model/errors.ts"
import type { Environment } from "./interpolate.ts"

export interface Secret {
  readonly name: string
  readonly value: string
}

/** What stands in the place of secrets where they would be shown. */
export const hiddenAs = (secrets: readonly Secret[]): readonly (readonly [value: string, text: string])[] =>
  secrets.map(({ name, value }) => [value, `$\{secret:${name}}`])

/** Names are those of files, too, and lead nowhere else. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/** Keys and certificates are the largest secrets that there are. */
const MAX_BYTES = 64 << 10

/** What is shorter cannot be taken out of messages: it would be found everywhere. */
const MIN_LENGTH = 4

/** Editors and `echo` end a file with a line break, which is not meant. */
const readSecret = (path: string): string | undefined => {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats) return undefined
  if (!stats.isFile()) throw new Error("it is no file")
  if (stats.size > MAX_BYTES) throw new Error(`expected at most 64 KiB, found ${stats.size} bytes`)
  return readFileSync(path, "utf8").replace(/\r?\n$/, "")
}

/**
 * The secret of a name: a variable of the environment, or a file in the folder that `SLUICE_SECRETS_DIR` names.
 *
 * @returns what is wrong, as a text, where there is none.
 */
export const findSecret = (name: string, env: Environment): Secret | string => {
  if (!NAME.test(name)) return `expected the name of a secret, as in $\{secret:HF_TOKEN}, found $\{secret:${name}}`
  const folder = env.SLUICE_SECRETS_DIR
  let value = Object.hasOwn(env, name) ? env[name] : undefined
  try {
    if (value === undefined && folder) value = readSecret(join(folder, name))
  } catch (error) {
    return `the secret ${name} cannot be read from ${folder}: ${messageOf(error)}`
  }
  if (value === undefined) {
    const otherwise = folder
      ? `put it into a file ${name} in ${folder}`
      : "name a folder of secrets with SLUICE_SECRETS_DIR"
    return `there is no secret ${name}; set the environment variable ${name}, or ${otherwise}`
  }
  if (value.length >= MIN_LENGTH) return { name, value }
  return `the secret ${name} is too short to be kept out of messages: expected at least ${MIN_LENGTH} characters`
}
