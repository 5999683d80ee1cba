/**
 * From a dataset's files and card to what is read: a configuration, its splits, their files and what kind they are.
 * Nothing here asks the Hub.
 */
import { ConfigError } from "../model/errors.ts"
import { type Builder, belongsTo, builderOf, isData, isReadable } from "./builders.ts"
import type { Card, CardConfig } from "./card.ts"
import type { HubFile } from "./client.ts"
import type { Features } from "./features.ts"
import { isGlob, matchGlob, normalizePath } from "./glob.ts"
import { defaultSplits, type SplitPatterns } from "./splits.ts"

export interface Split {
  readonly name: string
  /** In the order of the rows. */
  readonly files: readonly HubFile[]
}

export interface Resolved {
  readonly config: string
  readonly builder: Builder
  readonly splits: readonly Split[]
  /** What the README says of the columns. */
  readonly features: Features | undefined
  /** What the configuration says to the builder. */
  readonly options: Readonly<Record<string, unknown>>
}

/** The files of the repository cannot be read, for the given reason; an export of them perhaps can. */
export interface Unresolved {
  readonly reason: string
}

export const isResolved = (resolution: Resolved | Unresolved): resolution is Resolved => "splits" in resolution

export const quoted = (names: Iterable<string>): string => [...names].map((name) => JSON.stringify(name)).join(", ")

/**
 * The configuration to read: the one asked for, else the only one, else the one that is called `default` or says so.
 *
 * @throws {ConfigError} that lists them, when there is none such.
 */
export const chooseConfig = <C extends { readonly name: string; readonly isDefault?: boolean }>(
  configs: readonly C[],
  wanted: string | undefined,
): C => {
  const names = configs.map(({ name }) => name)
  if (wanted !== undefined) {
    const found = configs.find(({ name }) => name === wanted)
    if (found) return found
    throw new ConfigError(`The dataset has no configuration ${JSON.stringify(wanted)}; it has ${quoted(names)}`)
  }
  const [only] = configs
  if (only && configs.length === 1) return only
  const defaults = configs.filter(({ name, isDefault }) => name === "default" || isDefault)
  const [chosen, another] = defaults
  if (chosen && !another) return chosen
  const why = another
    ? `several say that they are the default (${quoted(defaults.map(({ name }) => name))})`
    : "none is the default"
  throw new ConfigError(`The dataset has several configurations and ${why}; choose one with "config": ${quoted(names)}`)
}

/** Options of configurations that are understood, or change nothing about the rows. */
const OPTIONS: Readonly<Partial<Record<Builder, readonly string[]>>> = {
  csv: ["sep", "delimiter"],
  text: ["sample_by", "keep_linebreaks"],
  imagefolder: ["drop_labels", "drop_metadata"],
  audiofolder: ["drop_labels", "drop_metadata"],
  videofolder: ["drop_labels", "drop_metadata"],
  pdffolder: ["drop_labels", "drop_metadata"],
}
const HARMLESS = ["version", "description", "features"]

const problemOf = (builder: Builder, options: Readonly<Record<string, unknown>>): string | undefined => {
  const unknown = Object.keys(options).filter((key) => !HARMLESS.includes(key) && !OPTIONS[builder]?.includes(key))
  if (unknown.length > 0) return `its configuration has options that are not supported: ${quoted(unknown)}`
  if (builder === "text" && ![undefined, "line"].includes(options.sample_by as string | undefined)) {
    return `its configuration cuts texts by ${JSON.stringify(options.sample_by)}, which is not supported`
  }
  return undefined
}

/** @throws {ConfigError} for a pattern that leads out of the repository, or names a file that is not there. */
const filesOf = ({ split, patterns }: SplitPatterns, base: string, files: ReadonlyMap<string, HubFile>): Split => {
  const paths = [...files.keys()]
  const found = new Set<string>()
  for (const pattern of patterns) {
    const inside = normalizePath(`${base}/${pattern}`)
    if (inside === undefined) {
      throw new ConfigError(
        `Split ${JSON.stringify(split)}: the path ${JSON.stringify(pattern)} leads out of the dataset`,
      )
    }
    const matched = isGlob(inside) ? matchGlob(paths, inside) : files.has(inside) ? [inside] : []
    if (matched.length === 0 && !isGlob(inside)) {
      throw new ConfigError(
        `Split ${JSON.stringify(split)}: the dataset has no file ${JSON.stringify(inside)}, which its configuration names`,
      )
    }
    for (const path of matched) if (isData(path)) found.add(path)
  }
  return { name: split, files: [...found].flatMap((path) => files.get(path) ?? []) }
}

const DEFAULT: CardConfig = { name: "default", isDefault: true, dataDir: "", dataFiles: undefined, options: {} }

/**
 * @throws {ConfigError} for a configuration that there is not, or that has to be chosen, and for what contradicts
 * itself in the dataset.
 */
export const resolveDataset = (
  tree: readonly HubFile[],
  card: Card,
  wanted: string | undefined,
): Resolved | Unresolved => {
  if (card.configs.length === 0 && wanted !== undefined && wanted !== DEFAULT.name) {
    return { reason: `its README names no configurations, so there is only "default", not ${JSON.stringify(wanted)}` }
  }
  const config = card.configs.length === 0 ? DEFAULT : chooseConfig(card.configs, wanted)
  const base = normalizePath(config.dataDir)
  if (base === undefined) throw new ConfigError(`data_dir ${JSON.stringify(config.dataDir)} leads out of the dataset`)
  const files = new Map(tree.map((file) => [file.path, file]))
  const elsewhere = config.dataFiles?.flatMap(({ patterns }) => patterns).find((pattern) => /:\/\/|::/.test(pattern))
  if (elsewhere !== undefined)
    return { reason: `its files are elsewhere, or in archives: ${JSON.stringify(elsewhere)}` }
  const splits = (
    config.dataFiles
      ? config.dataFiles.map((split) => filesOf(split, base, files))
      : defaultSplits([...files.keys()], base).map((split) => filesOf(split, "", files))
  ).filter(({ files: found }) => found.length > 0)
  if (splits.length === 0) return { reason: "it has no files of a kind that is known" }

  const builders = splits.map((split) => builderOf(split.files.map(({ path }) => path)))
  const [builder] = builders
  const other = builders.findIndex((one) => one !== builder)
  if (other > 0) {
    return {
      reason: `its splits are of different kinds: ${quoted([splits[0]?.name ?? ""])} of ${builder}, ${quoted([splits[other]?.name ?? ""])} of ${builders[other]}`,
    }
  }
  if (builder === undefined) return { reason: "it has no files of a kind that is known" }
  if (builder === "zip" || !isReadable(builder)) return { reason: `its files are of the kind "${builder}"` }
  const problem = problemOf(builder, config.options)
  if (problem !== undefined) return { reason: problem }
  const own = splits.map(({ name, files: found }) => ({
    name,
    files: found.filter(({ path }) => belongsTo(builder, path)),
  }))
  const archive = own.flatMap((split) => split.files).find(({ path }) => path.toLowerCase().endsWith(".zip"))
  if (archive) return { reason: `a part of it is in archives: ${JSON.stringify(archive.path)}` }
  const [onlyFeatures] = card.features.values()
  const features = card.features.get(config.name) ?? (card.features.size === 1 ? onlyFeatures : undefined)
  return { config: config.name, builder, splits: own, features, options: config.options }
}

/**
 * The splits that are asked for, in the dataset's order: all of them by default.
 *
 * @throws {ConfigError} for one that there is not.
 */
export const chooseSplits = (splits: readonly Split[], wanted: readonly string[]): readonly Split[] => {
  if (wanted.length === 0 || wanted.includes("all")) return splits
  const missing = wanted.find((name) => !splits.some((split) => split.name === name))
  if (missing === undefined) return splits.filter(({ name }) => wanted.includes(name))
  const slice = /\[.*\]$/.test(missing) ? '; for its first rows, use "limit"' : ""
  throw new ConfigError(
    `The dataset has no split ${JSON.stringify(missing)}; it has ${quoted(splits.map(({ name }) => name))}${slice}`,
  )
}
