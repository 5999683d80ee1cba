/** The schema that editors are given takes what Sluice takes, and refuses what it refuses, as far as a schema can. */
import { readdirSync, readFileSync } from "node:fs"
import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, it } from "vitest"
import { parseAllDocuments } from "yaml"
import { jsonSchema } from "../../src/config/json-schema.ts"
import { sluice } from "../fixtures/sluice.ts"

const validate = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true }).compile(jsonSchema())

const problems = (yaml: string): string[] =>
  parseAllDocuments(yaml).flatMap((document) =>
    validate(document.toJS()) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`),
  )

const fromPages = (folder: string): [string, string][] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".md"))
    .flatMap((name) =>
      [...readFileSync(`${folder}/${name}`, "utf8").matchAll(/```yaml\n(version: 1\n.*?)```/gs)].map(
        ([, yaml = ""]): [string, string] => [name, yaml],
      ),
    )

const good: [string, string][] = [
  ...readdirSync("pipelines")
    .filter((name) => name.endsWith(".yaml"))
    .map((name): [string, string] => [name, readFileSync(`pipelines/${name}`, "utf8")]),
  ...fromPages("docs/guide"),
]

describe("the JSON Schema", () => {
  it.each(good)("takes %s", (_, yaml) => {
    expect(problems(yaml)).toEqual([])
  })

  it.each([
    ["a misspelt key", "sorce: { type: files }", "must NOT have additional properties"],
    ["a type that there is not", "source: { type: ftp, include: a }", "/source/type must be equal to constant"],
    ["a required field that is missing", "source: { type: files }", "must have required property 'include'"],
    [
      "a choice that there is not",
      "sink: { type: lance, table: t, mode: upsert }",
      "/sink/mode must be equal to one of",
    ],
    ["a number that is too small", "workers: { threads: 0 }", "/workers/threads must be >= 1"],
    ["another version", "version: 2", "/version must be equal to constant"],
  ])("refuses %s", (_, line, message) => {
    const base = ["version: 1", "name: a", "source: { type: files, include: a }", "sink: { type: lance, table: t }"]
    const key = line.split(":")[0]
    const document = [...base.filter((one) => !one.startsWith(`${key}:`)), line].join("\n")
    expect(problems(document).join("\n")).toContain(message)
  })

  it("is what the command prints", async () => {
    const { code, stdout } = await sluice(["schema"], { cwd: "." })
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(jsonSchema())
  })
})
