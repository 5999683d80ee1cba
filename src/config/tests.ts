/** Tests of a document, ready to be run: its pipeline with other input, and without its sink. */
import { resolve } from "node:path"
import type { Plan } from "../engine/plan.ts"
import { ConfigError } from "../model/errors.ts"
import { checkDocument } from "./check.ts"
import type { ParsedDocument } from "./document.ts"
import type { Environment } from "./interpolate.ts"
import { toPlan } from "./plan.ts"
import type { Plugin } from "./plugins.ts"
import { type Found, isRecord, keyOf, type Path, type Problem } from "./problems.ts"
import type { Registry } from "./registry.ts"
import type { PipelineDocument } from "./schema.ts"
import type { TestValues } from "./test-schema.ts"

type Mapping = Readonly<Record<string, unknown>>

export interface PipelineTest {
  readonly name: string
  /** What the test brings along, by the names of files. */
  readonly files: Readonly<Record<string, string>>
  readonly expected: Pick<TestValues, "rows" | "items" | "expect">
  /** The pipeline of the test, where its files are in `folder`; its rows go into memory. */
  readonly newPlan: (folder: string) => Plan
  /** A problem with its place in the document; the path begins at the test. */
  readonly problem: (path: Path, message: string) => Problem
}

/** What everything of a document is read with. */
export interface Context {
  readonly whole: ParsedDocument
  /** The document's file. */
  readonly file: string
  readonly registry: Registry
  readonly plugins: readonly Plugin[]
  readonly env: Environment
  /** The plan, telling no secrets. */
  readonly shown: (plan: Plan) => Plan
}

/** In texts of `with`, this stands for the folder of the test's files. */
const FILES = "{files}"

const replaceDeep = (value: unknown, folder: string): unknown => {
  if (typeof value === "string") return value.replaceAll(FILES, folder)
  if (Array.isArray(value)) return value.map((one) => replaceDeep(one, folder))
  if (!isRecord(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, replaceDeep(one, folder)]))
}

/** `given` over `base`: mappings key by key, but components of another type as a whole. */
const merged = (base: unknown, given: unknown): unknown => {
  if (!isRecord(base) || !isRecord(given)) return given
  if (given.type !== undefined && given.type !== base.type) return given
  const both = Object.entries(given).map(([key, value]) => [
    key,
    Object.hasOwn(base, key) ? merged(base[key], value) : value,
  ])
  return { ...base, ...Object.fromEntries(both) }
}

const isInline = (files: TestValues["files"]): files is Readonly<Record<string, string>> => isRecord(files)

const listsFiles = ({ source }: Mapping): boolean => isRecord(source) && source.type === "files"

/** The document as the test has it. */
const documentOf = (document: Mapping, test: TestValues, folder: string, file: string): Mapping => {
  const { tests: _tests, schedule: _schedule, index: _index, ...rest } = document
  const changed = merged(rest, replaceDeep(test.with ?? {}, folder)) as Mapping
  const sink = { type: "memory", table: "test" }
  const { files } = test
  const isGiven = isRecord(test.with?.source) && Object.hasOwn(test.with.source, "include")
  if (files === undefined || isGiven || !listsFiles(changed)) return { ...changed, sink }
  const include = isInline(files) ? folder : [files].flat().map((path) => resolve(file, "..", path))
  return { ...changed, sink, source: { ...(changed.source as Mapping), include } }
}

/** What would make no use of the files that are given. */
const unusedFiles = (document: Mapping, test: TestValues): Found[] => {
  if (test.files === undefined || listsFiles({ ...document, ...test.with })) return []
  if (!isInline(test.files)) {
    return [{ path: ["files"], message: "paths are for a source of type files; name them under with" }]
  }
  if (JSON.stringify(test.with ?? {}).includes(FILES)) return []
  const message = `nothing reads these files; name their folder, as in with: { format: { path: "${FILES}" } }`
  return [{ path: ["files"], message }]
}

const NOWHERE = resolve("/")

const readTest = (test: TestValues, at: number, context: Context): PipelineTest | readonly Problem[] => {
  const { whole, file, registry, plugins, env, shown } = context
  const original = whole.value as Mapping
  const problem = (path: Path, message: string): Problem => {
    const full = ["tests", at, ...path]
    return { path: full, place: whole.place(full), message: whole.hide(message) }
  }
  const check = (folder: string) =>
    checkDocument({ ...whole, value: documentOf(original, test, folder, file) }, registry, env)
  const planOf = (document: PipelineDocument): Plan => toPlan(document, registry, plugins, test.mocks)

  const unused = unusedFiles(original, test)
  if (unused.length > 0) return unused.map(({ path, message }) => problem(path, message))
  const { document, problems } = check(NOWHERE)
  if (!document) return problems.map(({ path, message }) => problem(["with", ...path], message))
  try {
    planOf(document)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const key = keyOf(error.message)
    return [problem(["with", ...key], error.message.replace(`${key.join(".")}: `, ""))]
  }
  return {
    name: test.name,
    files: isInline(test.files) ? test.files : {},
    expected: test,
    newPlan: (folder) => {
      const { document: own } = check(folder)
      if (!own) throw new Error("the folder of a test's files made its document wrong")
      return shown(planOf(own))
    },
    problem,
  }
}

export interface ReadTests {
  readonly tests: readonly PipelineTest[]
  readonly problems: readonly Problem[]
}

/** The tests of a document in which nothing else is wrong. */
export const readTests = (tests: readonly TestValues[], context: Context): ReadTests => {
  const read = tests.map((test, at) => readTest(test, at, context))
  return {
    tests: read.filter((one): one is PipelineTest => "newPlan" in one),
    problems: read.flatMap((one) => ("newPlan" in one ? [] : one)),
  }
}
