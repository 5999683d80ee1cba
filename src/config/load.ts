/** Reading a pipeline document: YAML, variables, overrides, check, plan. */
import { open } from "node:fs/promises"
import type { Plan } from "../engine/plan.ts"
import { ConfigError, messageOf } from "../model/errors.ts"
import { checkDocument } from "./check.ts"
import { MAX_BYTES, pathKey, readDocument } from "./document.ts"
import type { Environment } from "./interpolate.ts"
import { applyOverrides, parseOverride } from "./overrides.ts"
import { toPlan } from "./plan.ts"
import { problemsError } from "./problems.ts"
import type { PipelineDocument } from "./schema.ts"

export interface Loaded {
  /** The document's name, for messages. */
  readonly file: string
  readonly document: PipelineDocument
  /** Ready to be started; nothing is opened or read yet. */
  readonly plan: Plan
}

/**
 * Reads a document. Variables are replaced from `env`; `overrides` are `key=value` as on the command line. Relative
 * paths in it are relative to the working directory, as they are on the command line.
 *
 * @throws {ConfigError} with all that is wrong, a line a problem: `file:line:col  path: message`.
 */
export const parsePipeline = (
  text: string,
  fileName: string,
  env: Environment,
  overrides: readonly string[] = [],
): Loaded => {
  const given = overrides.map(parseOverride)
  const read = readDocument(text, fileName, env, new Set(given.map(({ path }) => pathKey(path))))
  if (read.value === undefined) throw problemsError(fileName, read.problems)
  const whole = applyOverrides(read, given, env)
  const { document, problems } = checkDocument(whole, env)
  const all = [...whole.problems, ...problems]
  if (!document || all.length > 0) throw problemsError(fileName, all)
  try {
    return { file: fileName, document, plan: toPlan(document) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    // Such messages begin with the key that they are about.
    const [key = ""] = /^[a-z_.]+/.exec(error.message) ?? []
    throw problemsError(fileName, [{ place: whole.place(key.split(".")), path: [], message: error.message }])
  }
}

/** Reads no more than a document may have: the file may be a device, or grow while it is read. */
const readText = async (file: string): Promise<string> => {
  const handle = await open(file)
  try {
    const buffer = Buffer.alloc(MAX_BYTES + 1)
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    if (length > MAX_BYTES) throw new ConfigError("expected a pipeline document of at most 1 MiB, found more")
    return new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length))
  } finally {
    await handle.close()
  }
}

/**
 * Reads a document from a file; see {@link parsePipeline}.
 *
 * @throws {ConfigError} also for a file that cannot be read or is not UTF-8.
 */
export const loadPipeline = async (
  file: string,
  env: Environment,
  overrides: readonly string[] = [],
): Promise<Loaded> => {
  let text: string
  try {
    text = await readText(file)
  } catch (error) {
    throw new ConfigError(`${file}: ${readProblem(error)}`, { cause: error })
  }
  return parsePipeline(text, file, env, overrides)
}

const readProblem = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  if (code === "ENOENT") return "there is no such file; expected a pipeline document in YAML"
  if (code === "EISDIR") return "expected a pipeline document in YAML, found a folder"
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "expected text in UTF-8"
  return error instanceof ConfigError ? error.message : `cannot be read: ${messageOf(error)}`
}
