/**
 * The YAML front matter of a dataset's README.md, with one split brought up to date in it, as `push_to_hub` of
 * `datasets` writes it (`MetadataConfigs` and `DatasetInfo._to_yaml_dict`). All else that is there stays.
 */
import { parseDocument } from "yaml"
import type { Plain } from "../model/item.ts"
import type { ColumnType, Schema } from "../model/types.ts"
import { featureOf } from "../parquet/features.ts"
import { frontMatter } from "./card.ts"

export interface PushedSplit {
  readonly split: string
  readonly schema: Schema
  readonly rows: number
  /** In memory, and as files. */
  readonly bytes: number
  readonly fileBytes: number
}

type Dict = Readonly<Record<string, unknown>>

const CONFIG = "default"

const isDict = (value: unknown): value is Dict => typeof value === "object" && value !== null && !Array.isArray(value)
const dicts = (value: unknown): Dict[] => [value ?? []].flat().filter(isDict)

/** `image`, `{ class_label: ... }`, or `list: float32` beside the name: the notation of `Features._to_yaml_list`. */
const yamlFeature = (name: string, type: ColumnType): Dict => {
  const feature = featureOf(type)
  switch (feature._type) {
    case "Value":
      return { name, dtype: feature.dtype }
    case "ClassLabel":
      return { name, dtype: { class_label: { names: { ...(feature.names as readonly Plain[]) } } } }
    case "List":
      return { name, list: "float32", ...(feature.length !== undefined && { length: feature.length }) }
    default:
      return { name, dtype: String(feature._type).toLowerCase() }
  }
}

/** `entries` with `entry` in place of the one that has the same value under `key`, or at their end. */
const put = (entries: readonly Dict[], key: string, entry: Dict): Dict[] => {
  const at = entries.findIndex((other) => other[key] === entry[key])
  return at < 0 ? [...entries, entry] : entries.with(at, entry)
}

const configsWith = (configs: unknown, split: string): Dict[] => {
  const all = dicts(configs)
  const own = all.find(({ config_name }) => config_name === CONFIG) ?? { config_name: CONFIG }
  const files = put(dicts(own.data_files), "split", { split, path: `data/${split}-*` })
  return put(all, "config_name", { ...own, data_files: files })
}

/** One mapping; or a list of them, where the dataset has several configurations. */
const infoWith = (info: unknown, pushed: PushedSplit): Dict | Dict[] => {
  const all = dicts(info)
  const own = all.find(({ config_name = CONFIG }) => config_name === CONFIG)
  const { download_size: _, ...rest } = own ?? {}
  const splits = put(dicts(rest.splits), "name", {
    name: pushed.split,
    num_bytes: pushed.bytes,
    num_examples: pushed.rows,
  })
  const next = {
    ...rest,
    features: [...pushed.schema].map(([name, type]) => yamlFeature(name, type)),
    splits,
    // How much of it was for the other splits is not said.
    ...(splits.length === 1 && { download_size: pushed.fileBytes }),
    dataset_size: splits.reduce((total, { num_bytes }) => total + Number(num_bytes ?? 0), 0),
  }
  const others = all.some((one) => one !== own)
  return others ? put(all, "config_name", { config_name: CONFIG, ...next }) : next
}

/**
 * The README of a dataset with this split in its front matter.
 *
 * @param readme the one that it has.
 */
export const withSplit = (readme: string | undefined, repo: string, pushed: PushedSplit): string => {
  const matter = readme === undefined ? undefined : frontMatter(readme)
  const document = parseDocument(matter ?? "", { schema: "core" })
  const known = (document.toJS() ?? {}) as Dict
  document.set("dataset_info", document.createNode(infoWith(known.dataset_info, pushed)))
  document.set("configs", document.createNode(configsWith(known.configs, pushed.split)))
  const lines = (readme ?? `# ${repo.split("/").at(-1)}\n`).split(/\r\n|\r|\n/)
  const body = matter === undefined ? lines : lines.slice(lines.indexOf("---", 1) + 1)
  return `---\n${document.toString({ lineWidth: 0 })}---\n${body.join("\n")}`
}
