/** Tests that documents bring along: those of Sluice's own pipelines hold, and what does not hold is said with its place. */
import { existsSync } from "node:fs"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { testCommand } from "../../src/cli/commands/test.ts"
import { loadPipelines } from "../../src/config/load.ts"
import { formatProblem } from "../../src/config/problems.ts"
import { runTest } from "../../src/config/run-test.ts"
import { loadPipeline } from "../fixtures/pipeline.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

let dir = ""

const CODE = `
export const values = ({ rows, column }) => {
  if (column("text").some((text) => text.startsWith("bad"))) throw new Error("not this one")
  const all = (value) => new Array(rows).fill(value)
  return {
    whole: all(7n), half: all(0.1), third: all(1 / 3), truth: all(true), bytes: all(new TextEncoder().encode("abc")),
    vector: all([0.1, 1e9]), json: all({ b: [1, null], a: "x" }), none: all(null),
  }
}
`

const PIPELINE = `version: 1
name: p
plugins: ./values.js
source: { type: files, include: nowhere, exclude: "*.log" }
stages:
  - map: values
    code: { module: ./values.js, export: values }
    columns: { whole: INT64, half: FLOAT64, third: FLOAT32, truth: BOOL, bytes: BINARY, vector: EMBEDDING(2), json: JSON, none: TEXT }
    retries: 0
sink: { type: lance, uri: ./data, table: t }
index: text
tests:
`

const RIGHT = `
  - name: every kind of value
    files: { a.txt: text, a.log: left out }
    rows: 1
    expect:
      - { whole: 7, half: 0.1, third: 0.333333333, truth: true, bytes: abc, none: null, _item: a.txt, _row: 0,
          vector: [0.1000001, 1000000000], json: { a: x, b: [1, null] } }
  - name: bytes by their number, whole numbers as text
    files: [./samples/*.txt]
    expect: [{ whole: "7", bytes: 3, text: sample }]
  - name: an item that fails, and none
    files: { a.txt: bad, b.txt: "" }
    items: { listed: 2, done: 0, failed: 1, empty: 1, partial: 0 }
    expect: []
  - name: without the function
    files: { a.txt: bad }
    mocks: { values: { whole: 1, half: 2, third: 3, truth: false, bytes: null, vector: [0, 0], json: 5, none: x } }
    expect: [{ whole: 1, truth: false, bytes: null, json: 5, none: x }]
  - name: from elsewhere
    files: { t.csv: "text\\nrow\\n" }
    with: { source: { type: files, include: "{files}/t.csv" }, normalize: { text: { chunk_size: 4, chunk_overlap: 0 } } }
    rows: 3
`

const WRONG = `
  - name: counts
    files: { a.txt: text, b.txt: bad }
    rows: 2
    items: { done: 2 }
    expect: [{ text: text }, { text: "" }]
  - name: values
    files: { a.txt: text }
    expect:
      - { txt: text, whole: 8, half: 0.10001, truth: false, bytes: abd, none: x, vector: [0.1, 2],
          json: { a: x }, text: null }
  - { name: no such folder, with: { source: { include: [./nowhere-at-all] } }, rows: 0 }
  - { name: the number of rows, files: { a.txt: text }, rows: 1 }
`

beforeAll(async () => {
  dir = await tempFolder()
  await mkdir(join(dir, "pipes/samples"), { recursive: true })
  await writeFile(join(dir, "pipes/values.js"), CODE)
  await writeFile(join(dir, "pipes/samples/a.txt"), "sample")
  await writeFile(join(dir, "pipes/right.yaml"), PIPELINE + RIGHT)
  await writeFile(join(dir, "pipes/wrong.yaml"), PIPELINE + WRONG)
})

const resultsOf = async (file: string): Promise<string[]> => {
  const lines: string[] = []
  for (const { tests } of await loadPipelines(file, {})) {
    for (const test of tests) {
      const { name, problems } = await runTest(test)
      if (problems.length === 0) lines.push(`${name}: ok`)
      for (const problem of problems) lines.push(formatProblem("p.yaml", problem))
    }
  }
  return lines
}

describe("a test of a document", () => {
  it.each(["documents", "embeddings", "tabular"])("holds, of pipelines/%s.yaml", async (name) => {
    const results = await resultsOf(`pipelines/${name}.yaml`)
    expect(results).not.toEqual([])
    expect(results.filter((line) => !line.endsWith(": ok"))).toEqual([])
  })

  it("runs the stages on its own files, or on others, and compares what comes out", async () => {
    // Other tests have folders there, too.
    const own = await tempFolder()
    const { TMPDIR = "" } = process.env
    process.env.TMPDIR = own
    expect(await resultsOf(join(dir, "pipes/right.yaml"))).toEqual([
      "every kind of value: ok",
      "bytes by their number, whole numbers as text: ok",
      "an item that fails, and none: ok",
      "without the function: ok",
      "from elsewhere: ok",
    ])
    expect((await readdir(own)).filter((name) => name.startsWith("sluice-test-"))).toEqual([])
    process.env.TMPDIR = TMPDIR
    expect(existsSync("data")).toBe(false)
  })

  it("says what was expected, what was found, and where", async () => {
    expect(await resultsOf(join(dir, "pipes/wrong.yaml"))).toEqual([
      "p.yaml:16:11  tests[0].rows: expected 2, found 1",
      "p.yaml:17:20  tests[0].items.done: expected 2, found 1",
      "p.yaml:18:13  tests[0].expect: expected 2 rows, found 1",
      'p.yaml:22:16  tests[1].expect[0].txt: the rows have no such column; did you mean "text"?',
      "p.yaml:22:29  tests[1].expect[0].whole: expected 8, found 7",
      "p.yaml:22:38  tests[1].expect[0].half: expected 0.10001, found 0.1",
      "p.yaml:22:54  tests[1].expect[0].truth: expected false, found true",
      'p.yaml:22:68  tests[1].expect[0].bytes: expected "abd", found 3 bytes',
      'p.yaml:22:79  tests[1].expect[0].none: expected "x", found null',
      "p.yaml:22:90  tests[1].expect[0].vector: expected [0.1,2], found [0.10000000149011612,1000000000]",
      'p.yaml:23:17  tests[1].expect[0].json: expected {"a":"x"}, found "{\\"b\\":[1,null],\\"a\\":\\"x\\"}"',
      'p.yaml:23:33  tests[1].expect[0].text: expected null, found "text"',
      expect.stringMatching(/^p\.yaml:24:5 {2}tests\[2\]: the run failed: File not found: \.\/nowhere-at-all/),
      "the number of rows: ok",
    ])
  })

  it("is run by the command, which fails where one does not hold", { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await sluice(["test", "pipes/wrong.yaml"], { cwd: dir })
    expect({ code, stderr }).toEqual({ code: 1, stderr: "4 tests: 1 ok, 3 failed\n" })
    expect(stdout).toMatch(/^pipes\/wrong\.yaml: p: the number of rows: ok \(\d+\.\d\d s\)$/m)
    expect(stdout).toMatch(
      /: counts: failed .*\n {2}pipes\/wrong\.yaml:16:11 {2}tests\[0\]\.rows: expected 2, found 1$/m,
    )
    expect(stdout).toMatch(/^ {2}failed: b\.txt: map "values": not this one$/m)
    const json = await sluice(["test", "pipes/right.yaml", "--json"], { cwd: dir })
    expect(json.code).toBe(0)
    const told = JSON.parse(json.stdout)
    expect(told).toMatchObject({ ok: 5, failed: 0 })
    expect(told.tests[2]).toMatchObject({
      file: "pipes/right.yaml",
      test: "an item that fails, and none",
      ok: true,
      problems: [],
      failed: [{ item: "a.txt", message: 'map "values": not this one' }],
    })
    expect(existsSync(join(dir, "data"))).toBe(false)
  })
})

const BAD: readonly (readonly [string, string, readonly unknown[]])[] = [
  [
    "a test that cannot fail",
    "  - { name: a }",
    ["13:5  tests[0]: expected rows, items or expect; a test that expects nothing cannot fail"],
  ],
  [
    "keys and values",
    "  - { nam: a, rows: -1, items: { dome: 1, done: x }, expect: [3], files: { a: 1 }, mocks: [] }",
    [
      "13:5  tests[0].name: missing; it is required",
      '13:7  tests[0].nam: unknown key; did you mean "name"?',
      "13:21  tests[0].rows: expected a whole number of at least 0, found -1",
      '13:34  tests[0].items.dome: unknown key; did you mean "done"?',
      '13:49  tests[0].items.done: expected a whole number of at least 0, found "x"',
      "13:63  tests[0].expect[0]: expected a mapping, found 3",
      "13:79  tests[0].files.a: expected text, found 1",
      "13:91  tests[0].mocks: expected a mapping, found a list",
    ],
  ],
  [
    "names",
    "  - { name: a, rows: 0, files: { ../a: x, /b: x, c/: x, d/../../e: x, f: x } }\n  - { name: a, rows: 0, mocks: { value: {} } }",
    [
      "13:34  tests[0].files.../a: expected the name of a file, such as a/b.txt",
      "13:43  tests[0].files./b: expected the name of a file, such as a/b.txt",
      "13:50  tests[0].files.c/: expected the name of a file, such as a/b.txt",
      "13:57  tests[0].files.d/../../e: expected the name of a file, such as a/b.txt",
      "14:13  tests[1].name: another test has this name; expected one of its own",
      '14:34  tests[1].mocks.value: no map has this name; did you mean "values"?',
    ],
  ],
  [
    "what a test changes",
    "  - { name: a, rows: 0, with: { sink: {}, surce: {} } }\n",
    [
      "13:33  tests[0].with.sink: a test cannot change this; there are source, format, normalize, schema, contract, flush_every, commit_every, errors, workers, max_item_bytes",
      '13:43  tests[0].with.surce: a test cannot change this; did you mean "source"?',
    ],
  ],
  [
    "what a change makes wrong",
    "  - { name: a, rows: 0, with: { source: { type: huggingface }, errors: { max: many } } }\n  - { name: b, rows: 0, with: { normalize: { text: { chunk_size: 5 } } } }",
    [
      "13:41  tests[0].with.source.repo: missing; it is required",
      '13:79  tests[0].with.errors.max: expected a whole number of at least 0, found "many"',
      "14:52  tests[1].with.normalize.text.chunk_overlap: expected less than chunk_size (5), found 200",
    ],
  ],
  [
    "files that nothing reads",
    "  - { name: a, rows: 0, files: { a.csv: x }, with: { source: { type: huggingface, repo: a/b } } }\n  - { name: b, rows: 0, files: [a.csv], with: { source: { type: huggingface, repo: a/b } } }",
    [
      '13:32  tests[0].files: nothing reads these files; name their folder, as in with: { format: { path: "{files}" } }',
      "14:32  tests[1].files: paths are for a source of type files; name them under with",
    ],
  ],
]

describe("what is said of a document", () => {
  it.each(BAD)("with %s", async (_, tests, expected) => {
    const file = join(dir, "pipes/bad.yml")
    await writeFile(file, PIPELINE + tests)
    const error: unknown = await loadPipeline(file, {}).catch((reason: unknown) => reason)
    const lines = String((error as Error).message).split("\n")
    expect(lines.map((line) => line.replace(`${file}:`, ""))).toEqual(expected)
    await writeFile(file, "# nothing")
  })

  it("without any test", async () => {
    await expect(testCommand(["pipelines/coco.yaml"], {}, {})).rejects.toThrow(
      "pipelines/coco.yaml: expected pipelines with tests, found none; add some under tests",
    )
  })
})
