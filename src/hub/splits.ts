/**
 * Which files make which split, where a dataset does not say so itself: the patterns of `datasets`
 * (`src/datasets/data_files.py`), in their order. The first group that finds a file wins.
 */
import { ConfigError } from "../model/errors.ts"
import { matchGlob } from "./glob.ts"

/** The patterns of a split; its files are theirs in that order. */
export interface SplitPatterns {
  readonly split: string
  readonly patterns: readonly string[]
}

const KEYWORDS = {
  train: ["train", "training"],
  validation: ["validation", "valid", "dev", "val"],
  test: ["test", "testing", "eval", "evaluation"],
} as const

const SEP = "[-._ 0-9]"
const DIGITS = "[0-9]".repeat(5)
const SHARDS = `-${DIGITS}-of-${DIGITS}*.*`

const inFolderName = (word: string): string[] => [
  `**/${word}/**`,
  `**/${word}${SEP}*/**`,
  `**/*${SEP}${word}/**`,
  `**/*${SEP}${word}${SEP}*/**`,
]

const inFileName = (word: string): string[] => [`**/${word}${SEP}*`, `**/*${SEP}${word}${SEP}*`]

const keywordGroup = (patterns: (word: string) => string[]): SplitPatterns[] =>
  Object.entries(KEYWORDS).map(([split, words]) => ({ split, patterns: words.flatMap(patterns) }))

const GROUPS: readonly (readonly SplitPatterns[])[] = [
  [{ split: "logs", patterns: ["**/*.eval"] }],
  keywordGroup(inFolderName),
  keywordGroup(inFileName),
  [{ split: "train", patterns: ["**"] }],
]

/** `^\w+(\.\w+)*$`, as `datasets.naming` has it. */
export const checkSplitName = (split: string): void => {
  if (!/^\w+(\.\w+)*$/.test(split)) {
    throw new ConfigError(
      `Expected the name of a split made of letters, digits, "_" and ".", found ${JSON.stringify(split)} in the dataset`,
    )
  }
}

const ORDER = Object.keys(KEYWORDS)

/** `train`, `validation`, `test`, then the others by name. */
const sortSplits = (splits: Iterable<string>): string[] => {
  const rank = (split: string): number => (ORDER.indexOf(split) + ORDER.length + 1) % (ORDER.length + 1)
  return [...splits].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
}

/** `data/<split>-00000-of-00003.parquet`; any name of a split will do. */
const sharded = (paths: readonly string[], within: (pattern: string) => string): SplitPatterns[] => {
  const splits = new Set<string>()
  for (const path of matchGlob(paths, within(`data/*${SHARDS}`))) {
    const [, split] = /([^/]+)-\d{5}-of-\d{5}[^/]*\.[^/]*$/.exec(path) ?? []
    if (split !== undefined) splits.add(split)
  }
  for (const split of splits) checkSplitName(split)
  return sortSplits(splits).map((split) => ({ split, patterns: [within(`data/${split}${SHARDS}`)] }))
}

/**
 * The splits of the files below `base` (a path in the repository, or empty) and their patterns, in the repository;
 * none when there are no files.
 *
 * @throws {ConfigError} for a file whose split has a name that none may have.
 */
export const defaultSplits = (paths: readonly string[], base: string): SplitPatterns[] => {
  const within = (pattern: string): string => (base === "" ? pattern : `${base}/${pattern}`)
  const shards = sharded(paths, within)
  if (shards.length > 0) return shards
  for (const group of GROUPS) {
    const found = group
      .map(({ split, patterns }) => ({ split, patterns: patterns.map(within) }))
      .filter(({ patterns }) => patterns.some((pattern) => matchGlob(paths, pattern).length > 0))
    if (found.length > 0) return found
  }
  return []
}
