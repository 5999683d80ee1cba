/**
 * What a dataset says of itself: the YAML front matter of its README.md, and `.huggingface.yaml`, whose keys win
 * (`src/datasets/load.py`). Its notations are those of `MetadataConfigs` in `src/datasets/utils/metadata.py`.
 */
import { isScalar, parseDocument, visit } from "yaml"
import { ConfigError, messageOf } from "../model/errors.ts"
import { type Features, featuresOfYaml } from "./features.ts"
import { checkSplitName, type SplitPatterns } from "./splits.ts"

/** A configuration (a subset) of a dataset. */
export interface CardConfig {
  readonly name: string
  readonly isDefault: boolean
  /** Patterns are relative to it. */
  readonly dataDir: string
  /** Undefined: to be found by the names of the files. */
  readonly dataFiles: readonly SplitPatterns[] | undefined
  /** What else it says, for the builder: `sep`, `drop_labels`, ... */
  readonly options: Readonly<Record<string, unknown>>
}

export interface Card {
  /** Empty when it names none: then there is one, `default`. */
  readonly configs: readonly CardConfig[]
  /** Features by configuration. */
  readonly features: ReadonlyMap<string, Features>
}

type Dict = Readonly<Record<string, unknown>>

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value)
const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((entry) => typeof entry === "string")

/** The front matter of a README; undefined when it has none. Its first line has to be `---`. */
export const frontMatter = (readme: string): string | undefined => {
  const lines = readme.replace(/^\ufeff/, "").split(/\r\n|\r|\n/)
  const end = lines.indexOf("---", 1)
  return lines[0] === "---" && end > 0 ? lines.slice(1, end).join("\n") : undefined
}

/** The library's own check of keys compares each with all others: minutes for a README of a megabyte. */
const checkKeys = (document: ReturnType<typeof parseDocument>): void =>
  visit(document, {
    Map: (_, { items }) => {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) throw new Error(`Map keys must be unique: ${JSON.stringify(name)} is there twice`)
        seen.add(name)
      }
    },
  })

const parseYaml = (text: string | undefined, file: string): Dict => {
  if (text === undefined) return {}
  let value: unknown
  try {
    const document = parseDocument(text, { schema: "core", uniqueKeys: false, logLevel: "error" })
    const [problem] = document.errors
    if (problem) throw problem
    checkKeys(document)
    value = document.toJS({ maxAliasCount: 100 })
  } catch (error) {
    throw new ConfigError(`${file} of the dataset is no valid YAML: ${messageOf(error).split("\n")[0]}`)
  }
  if (value === null || value === undefined) return {}
  if (!isDict(value)) throw new ConfigError(`${file} of the dataset: expected a mapping, found ${typeof value}`)
  return value
}

const DATA_FILES = "expected text, a list of texts, or a list of { split, path }"

const readDataFiles = (config: string, value: unknown): readonly SplitPatterns[] | undefined => {
  if (value === undefined || value === null) return undefined
  const wrong = (): ConfigError =>
    new ConfigError(
      `data_files of configuration ${JSON.stringify(config)}: ${DATA_FILES}, found ${JSON.stringify(value)}`,
    )
  if (typeof value === "string") return [{ split: "train", patterns: [value] }]
  if (isTexts(value)) return [{ split: "train", patterns: value }]
  if (!Array.isArray(value)) throw wrong()
  const splits = value.map((entry: unknown): SplitPatterns => {
    if (!isDict(entry) || entry.split === undefined) throw wrong()
    const patterns = typeof entry.path === "string" ? [entry.path] : entry.path
    if (!isTexts(patterns)) throw wrong()
    const split = String(entry.split)
    checkSplitName(split)
    return { split, patterns }
  })
  const names = splits.map(({ split }) => split)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new ConfigError(
      `data_files of configuration ${JSON.stringify(config)} has split ${JSON.stringify(twice)} twice`,
    )
  }
  return splits
}

const readConfig = (value: unknown): CardConfig => {
  if (!isDict(value) || value.config_name === undefined) {
    throw new ConfigError(`configs: expected mappings with a config_name, found ${JSON.stringify(value)}`)
  }
  const { config_name, data_files, data_dir, default: isDefault, ...options } = value
  const name = String(config_name)
  return {
    name,
    isDefault: isDefault === true,
    dataDir: typeof data_dir === "string" ? data_dir : "",
    dataFiles: readDataFiles(name, data_files),
    options,
  }
}

/**
 * @param readme the text of README.md, where there is one.
 * @param standalone the text of .huggingface.yaml, where there is one.
 * @throws {ConfigError} saying what is wrong with them.
 */
export const readCard = (readme: string | undefined, standalone: string | undefined): Card => {
  const matter = readme === undefined ? undefined : frontMatter(readme)
  const data: Dict = { ...parseYaml(matter, "README.md"), ...parseYaml(standalone, ".huggingface.yaml") }
  const configs = data.configs === undefined || data.configs === null ? [] : data.configs
  if (!Array.isArray(configs)) throw new ConfigError(`configs: expected a list, found ${JSON.stringify(configs)}`)
  const infos = [data.dataset_info ?? []].flat().filter(isDict)
  const features = new Map<string, Features>()
  for (const info of infos) {
    const found = featuresOfYaml(info.features)
    if (found) features.set(String(info.config_name ?? "default"), found)
  }
  return { configs: configs.map(readConfig), features }
}
