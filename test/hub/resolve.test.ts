import { describe, expect, it } from "vitest"
import { builderOf } from "../../src/hub/builders.ts"
import { frontMatter, readCard } from "../../src/hub/card.ts"
import type { HubFile } from "../../src/hub/client.ts"
import { featuresOfMetadata } from "../../src/hub/features.ts"
import { matchGlob } from "../../src/hub/glob.ts"
import { chooseSplits, isResolved, resolveDataset } from "../../src/hub/resolve.ts"
import { ConfigError } from "../../src/model/errors.ts"

const tree = (paths: readonly string[]): HubFile[] =>
  paths.map((path) => ({ path, size: 1, oid: "0".repeat(40), digest: "git" }))

const resolve = (paths: readonly string[], yaml = "", config?: string) =>
  resolveDataset(tree(paths), readCard(yaml === "" ? undefined : `---\n${yaml}\n---\n# Words`, undefined), config)

/** `split: file file` a line. */
const shown = (paths: readonly string[], yaml?: string, config?: string): string => {
  const resolution = resolve(paths, yaml, config)
  if (!isResolved(resolution)) return resolution.reason
  const { builder, splits } = resolution
  return [builder, ...splits.map(({ name, files }) => `${name}: ${files.map(({ path }) => path).join(" ")}`)].join("\n")
}

describe("globs", () => {
  const paths = [
    "a.csv",
    "data/a.csv",
    "data/b/c.csv",
    "data/x1.csv",
    "data/.hidden/a.csv",
    "data/__pycache__/a.csv",
    "README.md",
    "data/README.md",
    "d[1].csv",
    "a\nb.csv",
  ]
  it.each([
    ["*.csv", ["a\nb.csv", "a.csv", "d[1].csv"]],
    ["**", ["a\nb.csv", "a.csv", "d[1].csv", "data/a.csv", "data/b/c.csv", "data/x1.csv"]],
    ["**/*.csv", ["a\nb.csv", "a.csv", "d[1].csv", "data/a.csv", "data/b/c.csv", "data/x1.csv"]],
    ["data/*", ["data/a.csv", "data/x1.csv"]],
    ["data/**", ["data/a.csv", "data/b/c.csv", "data/x1.csv"]],
    ["data/**/c.csv", ["data/b/c.csv"]],
    ["*/*/*.csv", ["data/b/c.csv"]],
    ["data/?.csv", ["data/a.csv"]],
    ["data/[a-b].csv", ["data/a.csv"]],
    ["data/x[!2-9].csv", ["data/x1.csv"]],
    ["d[[]1].csv", ["d[1].csv"]],
    ["data/[b-a].csv", []],
    ["data/**/x*[0-9].*", ["data/x1.csv"]],
    ["data/.hidden/*", ["data/.hidden/a.csv"]],
    ["data/.*/*", ["data/.hidden/a.csv"]],
    ["data/__*/*", ["data/__pycache__/a.csv"]],
    ["**/README.md", ["README.md", "data/README.md"]],
    ["a.{csv,txt}", []],
    ["A.csv", []],
  ])("%s", (pattern, expected) => {
    expect(matchGlob(paths, pattern)).toEqual(expected)
  })
})

describe("kinds of files", () => {
  it.each([
    [["a.parquet", "b.csv"], "parquet"],
    [["a.parquet", "b.csv", "c.csv"], "csv"],
    [["a.json", "b.jsonl"], "json"],
    [["a.json.gz"], "json"],
    [["a.txt", "b.jpg"], "text"],
    [["a.jpg", "b.JPG", "metadata.csv", "x/metadata.csv", "y/metadata.csv"], "imagefolder"],
    [["metadata.csv"], "csv"],
    [["v1.0.csv"], "csv"],
    [["a.tar"], "webdataset"],
    [["a.wav"], "audiofolder"],
    [["a.arrow", "b.parquet"], "parquet"],
    [["a.arrow"], "arrow"],
    [["a.zip"], "zip"],
    [["a.py", "LICENSE"], undefined],
  ])("%j", (paths, expected) => {
    expect(builderOf(paths)).toBe(expected)
  })
})

describe("a dataset without configurations", () => {
  it.each([
    [
      "shards by the name of the split, in the order of reading",
      [
        "data/test-00000-of-00001.parquet",
        "data/train-00001-of-00002.parquet",
        "data/train-00000-of-00002.parquet",
        "data/zulu-00000-of-00001-abc.parquet",
        "data/extra-00000-of-00001.parquet",
        "other.parquet",
      ],
      "parquet\ntrain: data/train-00000-of-00002.parquet data/train-00001-of-00002.parquet\ntest: data/test-00000-of-00001.parquet\nextra: data/extra-00000-of-00001.parquet\nzulu: data/zulu-00000-of-00001-abc.parquet",
    ],
    [
      "shards elsewhere than in data are found by keyword",
      ["en/train-00000-of-00001.parquet", "en/val-00000-of-00001.parquet"],
      "parquet\ntrain: en/train-00000-of-00001.parquet\nvalidation: en/val-00000-of-00001.parquet",
    ],
    [
      "keywords in names of folders come before those in names of files",
      ["a/train/test.csv", "a/dev/x.csv", "eval-set/y.csv", "test.csv"],
      "csv\ntrain: a/train/test.csv\nvalidation: a/dev/x.csv\ntest: eval-set/y.csv",
    ],
    [
      "keywords in names of files",
      ["my_train.csv", "train.csv", "dev-1.csv", "x.test.csv", "trainer.csv", "latest.csv"],
      "csv\ntrain: train.csv my_train.csv\nvalidation: dev-1.csv\ntest: x.test.csv",
    ],
    ["keywords are lower case, and files without one are left out", ["TRAIN.csv", "test.csv"], "csv\ntest: test.csv"],
    [
      "otherwise all of it is train",
      ["b.csv", "a.csv", "sub/c.csv", "README.md", ".gitattributes"],
      "csv\ntrain: a.csv b.csv sub/c.csv",
    ],
    [
      "the kind is the most common one, the others are left out",
      ["a.jsonl", "b.jsonl", "c.txt", "d.py"],
      "json\ntrain: a.jsonl b.jsonl",
    ],
    [
      "pictures with their metadata",
      ["train/a.jpg", "train/metadata.csv", "test/b.png"],
      "imagefolder\ntrain: train/a.jpg train/metadata.csv\ntest: test/b.png",
    ],
    ["what is not read is said", ["data.arrow"], 'its files are of the kind "arrow"'],
    ["a script", ["script.py", "README.md"], "it has no files of a kind that is known"],
    ["archives", ["train.zip"], 'its files are of the kind "zip"'],
    ["a part in archives", ["a.csv", "b.csv", "c.csv.zip"], 'a part of it is in archives: "c.csv.zip"'],
    [
      "splits of different kinds",
      ["train/a.csv", "test/a.json"],
      'its splits are of different kinds: "train" of csv, "test" of json',
    ],
  ])("%s", (_, paths, expected) => {
    expect(shown(paths)).toBe(expected)
  })

  it("has one that is called default", () => {
    expect(shown(["a.csv"], "", "default")).toBe("csv\ntrain: a.csv")
    expect(shown(["a.csv"], "", "de")).toMatch(
      /its README names no configurations, so there is only "default", not "de"/,
    )
  })

  it("may have splits of any name, but no dashes in it", () => {
    expect(() => shown(["data/my-set-00000-of-00001.csv"])).toThrow(/name of a split .*found "my-set"/)
  })
})

describe("a dataset with configurations", () => {
  const paths = ["de/train.csv", "de/test.csv", "en/a.csv", "en/b.csv", "x/y/c.csv", "z.csv"]
  it.each([
    ["text", "data_files: en/a.csv", "csv\ntrain: en/a.csv"],
    ["patterns, in their order and each file once", "data_files: [en/b.csv, 'en/*']", "csv\ntrain: en/b.csv en/a.csv"],
    [
      "splits",
      "data_files: [{ split: test, path: de/test.csv }, { split: train, path: ['de/tr*', z.csv] }]",
      "csv\ntest: de/test.csv\ntrain: de/train.csv z.csv",
    ],
    ["a folder with the usual names", "data_dir: de", "csv\ntrain: de/train.csv\ntest: de/test.csv"],
    ["a folder and patterns in it", "data_dir: ./x/\n  data_files: '**/*.csv'", "csv\ntrain: x/y/c.csv"],
    [
      "patterns that find nothing leave the split out",
      "data_files: [{ split: train, path: z.csv }, { split: test, path: 'q/*' }]",
      "csv\ntrain: z.csv",
    ],
    [
      "files elsewhere",
      "data_files: https://example.org/a.csv",
      'its files are elsewhere, or in archives: "https://example.org/a.csv"',
    ],
    [
      "options that change the rows",
      "data_files: z.csv\n  skiprows: 3",
      'its configuration has options that are not supported: "skiprows"',
    ],
  ])("names its files by %s", (_, entry, expected) => {
    expect(shown(paths, `configs:\n- config_name: only\n  ${entry}`)).toBe(expected)
  })

  const two = (a: string, b: string) =>
    `configs:\n- { config_name: ${a}, data_files: en/a.csv }\n- { config_name: ${b}, data_files: en/b.csv }`
  it("reads the one that is asked for, or the default one", () => {
    expect(shown(paths, two("en", "de"), "de")).toBe("csv\ntrain: en/b.csv")
    expect(shown(paths, two("en", "default"))).toBe("csv\ntrain: en/b.csv")
    expect(shown(paths, two("en", "de, default: true"))).toBe("csv\ntrain: en/b.csv")
  })

  it("lists them when one has to be chosen, or there is none of that name", () => {
    expect(() => shown(paths, two("en", "de"))).toThrow(ConfigError)
    expect(() => shown(paths, two("en", "de"))).toThrow(
      /several configurations and none is the default; choose one with "config": "en", "de"/,
    )
    expect(() => shown(paths, two("en", "de"), "fr")).toThrow(/no configuration "fr"; it has "en", "de"/)
    expect(() => shown(paths, two("default", "de, default: true"))).toThrow(/several say that they are the default/)
  })

  it.each([
    ["configs: 3", /configs: expected a list, found 3/],
    ["configs: [{ data_files: x }]", /expected mappings with a config_name/],
    ["configs: [{ config_name: a, data_files: 3 }]", /expected text, a list of texts, or a list of .*, found 3/],
    ["configs: [{ config_name: a, data_files: [{ split: a-b, path: z.csv }] }]", /found "a-b" in the dataset/],
    [
      "configs: [{ config_name: a, data_files: [{ split: a, path: z.csv }, { split: a, path: z.csv }] }]",
      /has split "a" twice/,
    ],
    ["configs: [{ config_name: a, data_files: none.csv }]", /no file "none.csv", which its configuration names/],
    ["configs: [{ config_name: a, data_files: ../../x.csv }]", /"..\/..\/x.csv" leads out of the dataset/],
    ["configs: [{ config_name: a, data_dir: .. }]", /data_dir ".." leads out of the dataset/],
    ["a: 1\na: 2", /README.md of the dataset is no valid YAML: Map keys must be unique/],
    ["- list", /expected a mapping/],
  ])("says what is wrong with %j", (yaml, message) => {
    expect(() => shown(paths, yaml)).toThrow(message)
  })

  it("gives way to .huggingface.yaml", () => {
    const card = readCard(`---\n${two("en", "de")}\n---`, "configs: [{ config_name: fr, data_files: z.csv }]")
    expect(card.configs.map(({ name }) => name)).toEqual(["fr"])
  })
})

it("reads only front matter that begins in the first line and ends", () => {
  expect(frontMatter("---\na: 1\n---\nb")).toBe("a: 1")
  expect(frontMatter("---\r\na: 1\r\n---\r\n")).toBe("a: 1")
  for (const readme of ["# Title\n---\na: 1\n---", "---\na: 1\n", ""]) expect(frontMatter(readme)).toBeUndefined()
})

it("chooses splits in the dataset's order, and lists them when there is none such", () => {
  const resolution = resolve(["train.csv", "test.csv", "dev.csv"])
  if (!isResolved(resolution)) throw new Error(resolution.reason)
  const names = (wanted: readonly string[]) => chooseSplits(resolution.splits, wanted).map(({ name }) => name)
  expect(names([])).toEqual(["train", "validation", "test"])
  expect(names(["all"])).toEqual(["train", "validation", "test"])
  expect(names(["test", "train"])).toEqual(["train", "test"])
  expect(() => names(["tests"])).toThrow(/no split "tests"; it has "train", "validation", "test"/)
  expect(() => names(["train[:10]"])).toThrow(/use "limit"/)
})

const YAML = `dataset_info:
- config_name: a
  features:
  - { name: image, dtype: image }
  - { name: label, dtype: { class_label: { names: { '1': dog, '0': cat } } } }
  - { name: n, dtype: int32 }
  - { name: emb, sequence: float32, length: 3 }
  - { name: tags, list: string }
  - name: answers
    sequence: [{ name: text, dtype: string }]
  - { name: matrix, dtype: { array2_d: { shape: [2, 3], dtype: float32 } } }
  - { name: sound, dtype: { audio: { sampling_rate: 16000 } } }
  - { name: extra, struct: [{ name: x, dtype: int8 }] }
  - { name: any, dtype: json }
- config_name: b
`
const JSON_FEATURES = {
  image: { _type: "Image" },
  label: { names: ["cat", "dog"], _type: "ClassLabel" },
  n: { dtype: "int32", _type: "Value" },
  emb: { feature: { dtype: "float32", _type: "Value" }, length: 3, _type: "Sequence" },
  tags: [{ dtype: "string", _type: "Value" }],
  answers: { feature: { text: { dtype: "string", _type: "Value" } }, _type: "Sequence" },
  matrix: { shape: [2, 3], dtype: "float32", _type: "Array2D" },
  sound: { sampling_rate: 16000, _type: "Audio" },
  extra: { x: { dtype: "int8", _type: "Value" } },
  any: { _type: "Json" },
}
it("reads features the same from YAML and from JSON", () => {
  const expected = new Map(
    Object.entries({
      image: { kind: "media", media: "Image" },
      label: { kind: "label", names: ["cat", "dog"] },
      n: { kind: "value", dtype: "int32" },
      emb: { kind: "list", of: { kind: "value", dtype: "float32" }, length: 3 },
      tags: { kind: "list", of: { kind: "value", dtype: "string" } },
      answers: { kind: "other" },
      matrix: { kind: "array", dtype: "float32", shape: [2, 3] },
      sound: { kind: "media", media: "Audio" },
      extra: { kind: "other" },
      any: { kind: "json" },
    }),
  )
  expect(readCard(`---\n${YAML}\n---`, undefined).features).toEqual(new Map([["a", expected]]))
  const metadata = (features: unknown) => featuresOfMetadata(JSON.stringify({ info: { features } }))
  expect(metadata(JSON_FEATURES)).toEqual(expected)
  expect(metadata({ emb: { ...JSON_FEATURES.emb, _type: "List" } })?.get("emb")).toEqual(expected.get("emb"))
  expect(metadata({ emb: { ...JSON_FEATURES.emb, length: -1 } })?.get("emb")).toEqual({
    ...expected.get("emb"),
    length: undefined,
  })
  for (const text of [undefined, "{", "[]", "{}", '{"info":{}}']) expect(featuresOfMetadata(text)).toBeUndefined()
})
