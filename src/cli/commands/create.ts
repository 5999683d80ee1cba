/** `sluice create KIND NAME` */
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { pipelineScaffold } from "../../config/pipeline-scaffold.ts"
import { type Entry, entriesOf } from "../../config/reference.ts"
import { BUILT_IN, type Registry } from "../../config/registry.ts"
import { ConfigError } from "../../model/errors.ts"
import { type ComponentKind, checkName } from "../../model/fields.ts"
import { suggest } from "../../model/suggest.ts"
import { componentsOf } from "../components.ts"
import { print, say } from "../console.ts"

const SCAFFOLD = new URL("../../../scaffold/", import.meta.url)

interface CreateOptions {
  readonly dir: string
  readonly source?: string
  readonly layout?: string
  readonly sink: string
  readonly plugin?: readonly string[]
}

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)

/** @throws {ConfigError} for a file that is there. */
const writeNew = async (path: string, text: string): Promise<void> => {
  try {
    await writeFile(path, text, { flag: "wx" })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    throw new ConfigError(`${path} is there already; take another name, or another folder with --dir`, { cause })
  }
  print(path)
}

/** A component that works, and its test, under the name that is asked for. */
const createComponent = async (kind: ComponentKind, name: string, { dir }: CreateOptions): Promise<void> => {
  const taken = entriesOf(BUILT_IN).flatMap((entry) => (entry.kind === kind ? [entry.type] : []))
  checkName(kind, name, taken)
  const words = name.split("_")
  const pascal = words.map(capitalized).join("")
  const camel = `${words[0]}${words.slice(1).map(capitalized).join("")}`
  const file = words.join("-")
  const named = async (template: string): Promise<string> =>
    (await readFile(new URL(template, SCAFFOLD), "utf8"))
      .replaceAll("example_thing", name)
      .replaceAll("example-thing", file)
      .replaceAll("exampleThing", camel)
      .replaceAll("ExampleThing", pascal)
      .replaceAll(`./${kind}.ts`, `./${file}.ts`)
  await writeNew(join(dir, `${file}.ts`), await named(`${kind}.ts`))
  await writeNew(join(dir, `${file}.test.ts`), await named(`${kind}.test.ts`))
  say(`It works as it is: node --test ${join(dir, `${file}.test.ts`)}`)
  say(
    `In a pipeline document beside it: plugins: [./${file}.ts], and ${kind === "normalizer" ? `normalize: { ${name}: {} }` : `${kind}: { type: ${name}, ... }`}`,
  )
}

const find = (registry: Registry, kind: ComponentKind, type: string): Entry => {
  const entries = entriesOf(registry).filter((entry) => entry.kind === kind)
  const entry = entries.find((one) => one.type === type)
  if (entry) return entry
  throw new ConfigError(
    `--${kind === "format" ? "layout" : kind}: unknown type ${JSON.stringify(type)}${suggest(
      type,
      entries.map((one) => one.type),
    )}`,
  )
}

const createPipeline = async (name: string, options: CreateOptions): Promise<void> => {
  const { dir, source = "files", layout, sink, plugin: plugins = [] } = options
  const registry = await componentsOf(plugins)
  const input = layout === undefined ? find(registry, "source", source) : find(registry, "format", layout)
  const path = join(dir, `${name}.yaml`)
  await writeNew(path, pipelineScaffold({ name, input, sink: find(registry, "sink", sink), plugins }))
  say(`Fill it in, then: sluice validate ${path}`)
}

export const createCommand = (
  kind: ComponentKind | "pipeline",
  name: string,
  options: CreateOptions,
): Promise<void> => {
  const snake = name.replaceAll("-", "_")
  checkName(kind, snake)
  return kind === "pipeline" ? createPipeline(snake, options) : createComponent(kind, snake, options)
}
