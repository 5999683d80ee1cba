/** What a document says of its tests. */
import { posix } from "node:path"
import * as Schema from "effect/Schema"
import type { Field, Fields, FieldValues } from "../model/fields.ts"
import { suggest } from "../model/suggest.ts"
import { fieldSchema, fieldsSchema, membersOf } from "./fields.ts"
import { type Found, isRecord } from "./problems.ts"

const COUNT = (what: string) =>
  ({ type: "integer", min: 0, optional: true, description: `How many items are ${what}.` }) as const satisfies Field

const ITEMS = {
  listed: COUNT("listed"),
  done: COUNT("done"),
  partial: COUNT("done, with something missing"),
  empty: COUNT("without rows"),
  failed: COUNT("failed"),
} as const satisfies Fields

const TEST = {
  name: { type: "text", description: "What is tested, in a few words." },
  rows: { type: "integer", min: 0, optional: true, description: "How many rows come out." },
} as const satisfies Fields

/** What a document says of one test. */
export type TestValues = FieldValues<typeof TEST> & {
  readonly files?: string | readonly string[] | Readonly<Record<string, string>>
  readonly with?: Readonly<Record<string, unknown>>
  readonly mocks?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly items?: FieldValues<typeof ITEMS>
  readonly expect?: readonly Readonly<Record<string, unknown>>[]
}

const anything = Schema.Record(Schema.String, Schema.Unknown)

const PATH: Field = { type: "text", description: "A file, a folder or a glob; relative ones from the document." }

const testSchema = Schema.Struct({
  ...membersOf(TEST),
  files: Schema.optionalKey(
    Schema.Union([
      Schema.Record(Schema.String, fieldSchema({ type: "string", description: "What is in the file." })),
      Schema.String.check(Schema.makeFilter((path) => path !== "" || 'expected a path, found ""')),
      Schema.Array(fieldSchema(PATH)),
    ]).annotate({
      expected: "files with what is in them, or paths",
      description: "Files for the source: names with their texts, or paths, relative to the document.",
    }),
  ),
  with: Schema.optionalKey(
    anything.annotate({
      description: "What the test changes of the document; `{files}` in it is the folder of the test's files.",
    }),
  ),
  mocks: Schema.optionalKey(
    Schema.Record(Schema.String, anything).annotate({
      description: "By the name of a `map`: the value of each of its columns, in the place of its function.",
    }),
  ),
  items: Schema.optionalKey(fieldsSchema(ITEMS).annotate({ description: "How many items there are of each kind." })),
  expect: Schema.optionalKey(
    Schema.Array(anything).annotate({ description: "The rows, in order; of each, the columns that matter." }),
  ),
}) as unknown as Schema.Codec<TestValues, unknown>

export const testsSchema = Schema.Array(testSchema)

/** What a test may put in the place of what the document says. */
const CHANGEABLE = [
  "source",
  "format",
  "normalize",
  "schema",
  "contract",
  "flush_every",
  "commit_every",
  "errors",
  "workers",
  "max_item_bytes",
]

const isInside = (name: string): boolean => {
  const path = posix.normalize(name)
  return (
    !posix.isAbsolute(path) && !path.startsWith("..") && path !== "." && !name.includes("\\") && !name.endsWith("/")
  )
}

const testProblems = (
  test: Readonly<Record<string, unknown>>,
  path: readonly (string | number)[],
  maps: readonly string[],
) => {
  const found: Found[] = []
  if (!["rows", "items", "expect"].some((key) => Object.hasOwn(test, key))) {
    found.push({ path, message: "expected rows, items or expect; a test that expects nothing cannot fail" })
  }
  const keysOf = (key: string): string[] => (isRecord(test[key]) ? Object.keys(test[key]) : [])
  for (const name of keysOf("files").filter((one) => !isInside(one))) {
    found.push({ path: [...path, "files", name], key: true, message: "expected the name of a file, such as a/b.txt" })
  }
  for (const key of keysOf("with").filter((one) => !CHANGEABLE.includes(one))) {
    const message = `a test cannot change this${suggest(key, CHANGEABLE)}`
    found.push({ path: [...path, "with", key], key: true, message })
  }
  for (const name of keysOf("mocks").filter((one) => !maps.includes(one))) {
    const message = maps.length > 0 ? `no map has this name${suggest(name, maps)}` : "there is no map in stages"
    found.push({ path: [...path, "mocks", name], key: true, message })
  }
  return found
}

/** Tests that contradict themselves, or the rest of the document. */
export const testsProblems = (document: Readonly<Record<string, unknown>>): Found[] => {
  if (!Array.isArray(document.tests)) return []
  const stages: readonly unknown[] = Array.isArray(document.stages) ? document.stages : []
  const maps = stages.flatMap((stage) => (isRecord(stage) && typeof stage.map === "string" ? [stage.map] : []))
  const names = new Set<unknown>()
  return document.tests.flatMap((test: unknown, at): Found[] => {
    if (!isRecord(test)) return []
    const path = ["tests", at]
    const again = test.name !== undefined && names.has(test.name)
    names.add(test.name)
    const twice: Found = { path: [...path, "name"], message: "another test has this name; expected one of its own" }
    return [...(again ? [twice] : []), ...testProblems(test, path, maps)]
  })
}
