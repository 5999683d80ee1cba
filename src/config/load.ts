/** Reading pipeline documents: YAML, variables, overrides, check, plan. */
import { open } from "node:fs/promises"
import type { Plan } from "../engine/plan.ts"
import { ConfigError, messageOf } from "../model/errors.ts"
import type { ScheduleSpec } from "../schedule/schedule.ts"
import { checkDocument, placed } from "./check.ts"
import { MAX_BYTES, type ParsedDocument, pathKey, readDocuments } from "./document.ts"
import { guaranteeOf } from "./guarantee.ts"
import { withHidden } from "./hidden.ts"
import { type Environment, hiding } from "./interpolate.ts"
import { applyOverrides, type Override, parseOverride } from "./overrides.ts"
import { toPlan, toSchedule } from "./plan.ts"
import { loadPlugins, type Plugin } from "./plugins.ts"
import { type Found, keyOf, type Problem, problemsError } from "./problems.ts"
import { BUILT_IN, type Registry, withPlugin } from "./registry.ts"
import type { PipelineDocument } from "./schema.ts"
import { misplacedSecrets, plainSecrets, secretsInComments, secretsOf } from "./secret-places.ts"
import { readStages } from "./stages.ts"
import { type PipelineTest, readTests } from "./tests.ts"

export interface Loaded {
  /** The file's name, for messages. */
  readonly file: string
  readonly document: PipelineDocument
  /** Ready to be started; nothing is opened or read yet. */
  readonly plan: Plan
  /** Another plan of it: two runs or listings of one plan would get into each other's way. */
  readonly newPlan: () => Plan
  readonly tests: readonly PipelineTest[]
  /** What it promises, a line each. */
  readonly guarantee: readonly string[]
  /** When it is to be run; undefined where the document does not say. */
  readonly schedule: ScheduleSpec | undefined
}

export interface LoadOptions {
  /** Secrets in plain text are problems. Default false. */
  readonly strict?: boolean
}

/**
 * Reads the documents of a text. Variables are replaced from `env`; `overrides` are `key=value` as on the command line,
 * and count for each of them. Relative paths are relative to the working directory, as they are on the command line; but
 * plugins are relative to the folder of the document. They are loaded, that is, run.
 *
 * @throws {ConfigError} with all that is wrong, a line a problem: `file:line:col  path: message`.
 */
export const parsePipelines = async (
  text: string,
  fileName: string,
  env: Environment,
  overrides: readonly string[] = [],
  { strict = false }: LoadOptions = {},
): Promise<readonly Loaded[]> => {
  const given = overrides.map(parseOverride)
  const skip = new Set(given.map(({ path }) => pathKey(path)))
  let problems: readonly Problem[] = strict ? secretsInComments(text) : []
  const loaded: Loaded[] = []
  for (const read of readDocuments(text, fileName, env, skip)) {
    const made = await loadDocument(read, { file: fileName, overrides: given, env, strict })
    if ("plan" in made) loaded.push(made)
    else problems = problems.concat(made)
  }
  if (problems.length > 0) throw problemsError(fileName, problems)
  return loaded
}

interface Reading {
  readonly file: string
  readonly overrides: readonly Override[]
  readonly env: Environment
  readonly strict: boolean
}

interface ReadPlugins {
  readonly plugins: readonly Plugin[]
  /** Sluice's own components, and those of the plugins. */
  readonly registry: Registry
  readonly problems: readonly Found[]
}

/** Loads what `plugins` lists, where that is a list, or one text; otherwise the check says what it should be. */
const readPlugins = async (value: unknown, file: string): Promise<ReadPlugins> => {
  const { plugins: given } = Object(value) as { readonly plugins?: unknown }
  const list: unknown = typeof given === "string" ? [given] : given
  const isList = Array.isArray(list) && list.every((name) => typeof name === "string" && name !== "")
  const { plugins, problems: failed } = await loadPlugins(isList ? (list as readonly string[]) : [], file)
  const problems: Found[] = failed.map(({ at, message }) => ({ path: ["plugins", at], message }))
  let registry = BUILT_IN
  for (const { name, exports } of plugins) {
    try {
      registry = withPlugin(registry, name, exports)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push({ path: ["plugins", (list as readonly string[]).indexOf(name)], message: error.message })
    }
  }
  return { plugins, registry, problems }
}

/** A document ready to be run, or what is wrong with it. */
const loadDocument = async (
  read: ParsedDocument,
  { file, overrides, env, strict }: Reading,
): Promise<Loaded | readonly Problem[]> => {
  if (read.value === undefined) return read.problems
  const whole = applyOverrides(read, overrides, env)
  const { plugins, registry, problems: ofPlugins } = await readPlugins(whole.value, file)
  const { document, problems } = checkDocument(whole, registry, env)
  // A stage whose plugin could not be loaded says nothing new.
  const stages = document && ofPlugins.length === 0 ? readStages(document.stages ?? [], plugins).problems : []
  const secrets = [...misplacedSecrets(whole, registry), ...(strict ? plainSecrets(whole, registry) : [])]
  const others = [...ofPlugins, ...stages, ...secrets].map((found) => placed(found, whole.place))
  const all = [...whole.problems, ...problems, ...others].map((problem) => ({
    ...problem,
    message: whole.hide(problem.message),
  }))
  if (!document || all.length > 0) return all
  try {
    const values = secretsOf(whole, document, registry)
    const shown = (plan: Plan): Plan => (values.length > 0 ? withHidden(plan, hiding(values)) : plan)
    const newPlan = (): Plan => shown(toPlan(document, registry, plugins))
    const plan = newPlan()
    const { tests, problems: wrong } = readTests(document.tests ?? [], { whole, file, registry, plugins, env, shown })
    if (wrong.length > 0) return wrong
    const guarantee = guaranteeOf(document, registry)
    return { file, document, plan, newPlan, tests, guarantee, schedule: toSchedule(document) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ place: whole.place(keyOf(error.message)), path: [], message: whole.hide(error.message) }]
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
 * Reads the documents of a file; see {@link parsePipelines}.
 *
 * @throws {ConfigError} also for a file that cannot be read or is not UTF-8.
 */
export const loadPipelines = async (
  file: string,
  env: Environment,
  overrides: readonly string[] = [],
  options: LoadOptions = {},
): Promise<readonly Loaded[]> => {
  let text: string
  try {
    text = await readText(file)
  } catch (error) {
    throw new ConfigError(`${file}: ${readProblem(error)}`, { cause: error })
  }
  return parsePipelines(text, file, env, overrides, options)
}

const readProblem = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  if (code === "ENOENT") return "there is no such file; expected a pipeline document in YAML"
  if (code === "EISDIR") return "expected a pipeline document in YAML, found a folder"
  if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") return "expected text in UTF-8"
  return error instanceof ConfigError ? error.message : `cannot be read: ${messageOf(error)}`
}
