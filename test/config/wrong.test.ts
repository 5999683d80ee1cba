/** What is said about documents that are wrong: all of it at once, each with its place and what was probably meant. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is what variables in documents look like
import { describe, expect, it } from "vitest"
import type { LoadOptions } from "../../src/config/load.ts"
import { ConfigError } from "../../src/model/errors.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"

const HEAD = "version: 1\nname: a\n"
const SOURCE = "source: { type: files, include: docs }\n"
const SINK = "sink: { type: lance, table: t }\n"
const TOKEN = `hf_${"aB3".repeat(10)}`
const NAMED =
  "name it instead: set it in the environment, or put it into a file of SLUICE_SECRETS_DIR, and write ${secret:NAME}"
const OK = HEAD + SOURCE + SINK

const problems = async (
  text: string,
  overrides: readonly string[] = [],
  env = {},
  options: LoadOptions = {},
): Promise<string[]> => {
  try {
    await parsePipeline(text, "p.yaml", env, overrides, options)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message.split("\n")
  }
  return []
}

const WRONG: readonly (readonly [string, string, readonly string[], LoadOptions?])[] = [
  ["nothing", "", ["p.yaml:1:1  expected a mapping, found nothing"]],
  ["only a comment", "# later\n", ["p.yaml:1:1  expected a mapping, found nothing"]],
  ["a list", "- a\n", ["p.yaml:1:1  expected a mapping, found a list"]],
  [
    "missing keys",
    "name: a\n",
    [
      "p.yaml:1:1  version: missing; it is required",
      "p.yaml:1:1  sink: missing; it is required",
      "p.yaml:1:1  source: missing; a source or a format is required",
    ],
  ],
  [
    "another version",
    `version: 2\nname: a\n${SOURCE}${SINK}`,
    ["p.yaml:1:10  version: expected 1, the version of this format, found 2"],
  ],
  [
    "misspelt keys, at every depth",
    `${HEAD}source: { type: files, includ: docs }\n${SINK}flushEvery: 200\nworkers: { thread: 2 }\nnormalize:\n  text:\n    chunksize: 3\n  imge: {}\n`,
    [
      "p.yaml:3:9  source.include: missing; it is required",
      'p.yaml:3:24  source.includ: unknown key; did you mean "include"?',
      'p.yaml:5:1  flushEvery: unknown key; did you mean "flush_every"?',
      'p.yaml:6:12  workers.thread: unknown key; did you mean "threads"?',
      'p.yaml:9:5  normalize.text.chunksize: unknown key; did you mean "chunk_size"?',
      'p.yaml:10:3  normalize.imge: unknown key; did you mean "image"?',
    ],
  ],
  [
    "a key that resembles none",
    `${OK}errors: { whatever: 1 }\n`,
    ["p.yaml:5:11  errors.whatever: unknown key; there are max, max_ratio"],
  ],
  [
    "types of components",
    `${HEAD}source: { type: filez }\nsink: { table: t }\n`,
    [
      'p.yaml:3:17  source.type: unknown type "filez"; did you mean "files"?',
      "p.yaml:4:7  sink.type: missing; there are lance, parquet, memory",
    ],
  ],
  [
    "components that are none",
    `${HEAD}source: docs\nsink:\n`,
    [
      'p.yaml:3:9  source: expected a mapping with a type, found "docs"',
      "p.yaml:4:6  sink: expected a mapping with a type, found nothing",
    ],
  ],
  [
    "values that do not fit",
    `${OK}normalize: { text: { chunk_size: many } }\nerrors: { max: -1, max_ratio: 2 }\nworkers: { threads: 0, timeout: fast }\nmax_item_bytes: 3 apples\n`,
    [
      'p.yaml:5:34  normalize.text.chunk_size: expected a whole number from 1 to 1000000, found "many"',
      "p.yaml:6:16  errors.max: expected a whole number of at least 0, found -1",
      "p.yaml:6:31  errors.max_ratio: expected a number from 0 to 1, found 2",
      "p.yaml:7:21  workers.threads: expected a whole number from 1 to 256, found 0",
      'p.yaml:7:33  workers.timeout: expected a duration such as "10s" from 1 to 2147483647 ms, found "fast"',
      'p.yaml:8:17  max_item_bytes: expected a size such as "8MiB" of at least 1 bytes, found "3 apples"',
    ],
  ],
  [
    "text that is none",
    `version: 1\nname: 2024\nsource: { type: files, include: [docs, 3, ""] }\n${SINK}index: {}\n`,
    [
      "p.yaml:2:7  name: expected text, found 2024; put it in quotes",
      "p.yaml:3:40  source.include[1]: expected text, found 3; put it in quotes",
      'p.yaml:3:43  source.include[2]: expected text, found ""',
      "p.yaml:5:8  index: expected text, or a list of texts, found a mapping",
    ],
  ],
  [
    "no path at all",
    `${HEAD}source: { type: files, include: [] }\n${SINK}`,
    ["p.yaml:3:33  source.include: expected at least one text, found an empty list"],
  ],
  [
    "names of tables and databases",
    `${HEAD}${SOURCE}sink: { type: lance, table: ../t, uri: "s3://bucket" }\n`,
    [
      'p.yaml:4:29  sink.table: expected a table name of letters, digits, "_", "-" and "." (at most 128, none of them "__"), found "../t"',
      'p.yaml:4:40  sink.uri: expected a local folder as uri, found "s3://bucket"; object stores are not supported yet',
    ].map((line) => line.replace(": expected", ": Expected")),
  ],
  [
    "triggers",
    `${OK}flush_every: 0\ncommit_every: { rows: 1.5, byte: 1MiB, period: 5 y }\n`,
    [
      "p.yaml:5:14  flush_every: expected a whole number of rows of at least 1, found 0",
      "p.yaml:6:23  commit_every.rows: expected a whole number of at least 1, found 1.5",
      'p.yaml:6:28  commit_every.byte: unknown key; did you mean "bytes"?',
      'p.yaml:6:48  commit_every.period: expected a duration such as "10s" of at least 1 ms, found "5 y"',
    ],
  ],
  [
    "triggers of another kind",
    `${OK}flush_every: [1]\ncommit_every: soon\n`,
    [
      "p.yaml:5:14  flush_every: expected a whole number of rows, or a mapping with rows, bytes or period, found a list",
      'p.yaml:6:15  commit_every: expected a whole number of rows of at least 1, found "soon"',
    ],
  ],
  [
    "commits smaller than flushes",
    `${OK}flush_every: 6\ncommit_every: 5\n`,
    [
      "p.yaml:6:15  commit_every (5 rows) is smaller than flush_every (6 rows): a commit is made of whole flushes. Raise commit_every or lower flush_every",
    ],
  ],
  [
    "options that contradict one another",
    `${OK}normalize:\n  text: { chunk_size: 100 }\n`,
    ["p.yaml:6:9  normalize.text.chunk_overlap: expected less than chunk_size (100), found 200"],
  ],
  [
    "values that only the source itself understands",
    `${HEAD}source:\n  type: huggingface\n  repo: a/b\n  token: abc\n${SINK}`,
    ['p.yaml:6:10  source.token: expected the token of a Hugging Face account, which begins with "hf_"'],
  ],
  [
    "an index where there are none",
    `${HEAD}${SOURCE}sink: { type: memory, table: t }\nindex: [text]\n`,
    ['p.yaml:5:8  index: a sink of type "memory" has no indexes; leave "index" out'],
  ],
  [
    "schedules",
    `${HEAD}${SOURCE}sink: { type: lance, table: t, mode: snyc }\nschedule: { cron: "0 25 * * *", timezone: Berlin, overlap: wait, jitter: soon, catchup: last }\n`,
    [
      'p.yaml:4:38  sink.mode: expected one of append, error, replace, sync, found "snyc"',
      'p.yaml:5:19  schedule.cron: hour: expected 0 to 23, as *, a value, a list (1,2), a range (1-5) or steps (*/2), found "25"',
      'p.yaml:5:43  schedule.timezone: expected a time zone of the IANA database, found "Berlin"; did you mean "Europe/Berlin"?',
      'p.yaml:5:60  schedule.overlap: expected one of skip, queue, cancel, found "wait"',
      'p.yaml:5:74  schedule.jitter: expected a duration such as "10s" from 0 to 86400000 ms, found "soon"',
      'p.yaml:5:80  schedule.catchup: unknown key; did you mean "catch_up"?',
    ],
  ],
  [
    "a source and a format",
    `${HEAD}source: { type: files, include: a }\nnormalize: {}\nformat: { type: tabular, path: a }\n${SINK}`,
    [
      "p.yaml:3:1  source: a format reads and normalizes by itself; leave this out",
      "p.yaml:4:1  normalize: a format reads and normalizes by itself; leave this out",
    ],
  ],
  [
    "normalizing what has rows already",
    `${HEAD}source: { type: huggingface, repo: a/b }\nnormalize: {}\n${SINK}`,
    ["p.yaml:4:12  normalize: a source of type huggingface makes rows by itself; leave this out"],
  ],
  [
    "an index on a column that there is not",
    `${OK}index: [text, titel, chunk]\n`,
    [
      'p.yaml:5:8  index: the rows have no column "titel"; there are id, file_id, chunk_index, text, image, filename, page_index, start_time, end_time, video_data, thumbnail, data',
    ],
  ],
  [
    "an index in Parquet files",
    `${HEAD}${SOURCE}sink: { type: parquet, table: t }\nindex: text\n`,
    ['p.yaml:5:8  index: a sink of type "parquet" has no indexes; leave "index" out'],
  ],
  [
    "the name of a dataset",
    `${HEAD}source: { type: huggingface, repo: https://huggingface.co/datasets/a/b?token=x }\n${SINK}`,
    [
      'p.yaml:3:36  source.repo: expected the name of a dataset, such as "cifar10" or "owner/name", found "https://huggingface.co/datasets/a/b?..."',
    ],
  ],
  [
    "an address that is none",
    `${HEAD}source: { type: huggingface, repo: a/b, hub_url: "ftp://host" }\n${SINK}`,
    [
      'p.yaml:3:50  source.hub_url: expected an address such as https://huggingface.co, without a password and without "?", found "ftp://host"',
    ],
  ],
  [
    "a format without its path, and with others' keys",
    `${HEAD}format: { type: coco, path: a, mask_order: size, max_images: 0 }\n${SINK}`,
    [
      "p.yaml:3:9  format.images_dir: missing; it is required",
      "p.yaml:3:23  format.path: unknown key; there are type, images_dir, annotations_dir, instances_json, captions_json, max_images, mask_order, boxes, keypoints, thumbnails",
      'p.yaml:3:44  format.mask_order: expected one of file, area, found "size"',
      "p.yaml:3:62  format.max_images: expected a whole number of at least 1, found 0",
    ],
  ],
  [
    "a cron with too few fields",
    `${OK}schedule: { cron: "0 3 * *" }\n`,
    [
      'p.yaml:5:19  schedule.cron: expected five fields (minute, hour, day, month, weekday), six with seconds before them, or a name such as @daily, found "0 3 * *"',
    ],
  ],
  [
    "a cron that never comes",
    `${OK}schedule: { cron: "0 0 31 2 *" }\n`,
    ['p.yaml:5:19  schedule.cron: "0 0 31 2 *" names no time at all: there is no such day'],
  ],
  [
    "a cron with a name that is none",
    `${OK}schedule: { cron: "0 0 * * funday" }\n`,
    [
      'p.yaml:5:19  schedule.cron: weekday: expected 0 to 7 or sun to sat; 0 and 7 are Sunday, as *, a value, a list (1,2), a range (1-5) or steps (*/2), found "funday"',
    ],
  ],
  [
    "a schedule without its times",
    `${OK}schedule: { timezone: UTC }\n`,
    ["p.yaml:5:11  schedule.cron: missing; it is required"],
  ],
  [
    "a schedule that is only text",
    `${OK}schedule: "@daily"\n`,
    ['p.yaml:5:11  schedule: expected a mapping, found "@daily"'],
  ],
  [
    "a contract that there is not",
    `${OK}contract: strict\n`,
    ['p.yaml:5:11  contract: expected one of evolve, freeze, discard_row, found "strict"'],
  ],
  [
    "a share of removals that is none",
    OK.replace("table: t", "table: t, mode: sync, max_delete_ratio: 20"),
    ["p.yaml:4:62  sink.max_delete_ratio: expected a number from 0 to 1, found 20"],
  ],
  [
    "how safe a commit is",
    OK.replace("table: t", "table: t, durability: sync"),
    ['p.yaml:4:44  sink.durability: expected one of process, fsync, found "sync"'],
  ],
  [
    "settings that are one value",
    `${OK}workers: 4\nerrors: 100\nshutdown_timeout: -1s\n`,
    [
      "p.yaml:5:10  workers: expected a mapping, found 4",
      "p.yaml:6:9  errors: expected a mapping, found 100",
      'p.yaml:7:19  shutdown_timeout: expected a duration such as "10s" from 0 to 2147483647 ms, found "-1s"',
    ],
  ],
  ["normalizers as a list", `${OK}normalize: [text]\n`, ["p.yaml:5:12  normalize: expected a mapping, found a list"]],
  ["column types as a list", `${OK}schema: [text]\n`, ["p.yaml:5:9  schema: expected a mapping, found a list"]],
  [
    "a column without a type",
    `${OK}schema: { _rowid: TEXT, a: }\n`,
    ["p.yaml:5:28  schema.a: expected text, found nothing"],
  ],
  [
    "plugins that are no texts",
    `${OK}plugins: { a: b }\n`,
    ["p.yaml:5:10  plugins: expected text, or a list of texts, found a mapping"],
  ],
  [
    "a stage without its plugin",
    `${OK}stages: [{ filter: a, code: { module: ./a.ts, export: b } }]\n`,
    [
      'p.yaml:5:39  stages[0].code.module: expected a module that "plugins" lists, found "./a.ts"; only those are loaded',
    ],
  ],
  [
    "a stage with half of its code",
    `${OK}plugins: []\nstages: [{ filter: a, code: { module: ./a.ts } }]\n`,
    ["p.yaml:6:29  stages[0].code.export: missing; it is required"],
  ],
  ["tests as a mapping", `${OK}tests: { name: a }\n`, ["p.yaml:5:8  tests: expected a list, found a mapping"]],
  [
    "a test of nothing",
    `${OK}tests: [{ name: a, files: { a.txt: x } }]\n`,
    ["p.yaml:5:9  tests[0]: expected rows, items or expect; a test that expects nothing cannot fail"],
  ],
  [
    "a bomb of aliases",
    `${OK}index: [&a [x], ${Array(101).fill("*a").join(", ")}]\n`,
    ["p.yaml:5:417  index[101]: too many aliases"],
  ],
  [
    "a bomb of lists",
    `${OK}index: ${"[".repeat(40)}${"]".repeat(40)}\n`,
    [
      "p.yaml:5:9  index[0]: expected text, found a list",
      "p.yaml:5:40  index[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: nested too deeply: expected at most 32 levels",
    ],
  ],
  ["text with tabs for its levels", "version: 1\n\tname: a\n", ["p.yaml:2:1  Tabs are not allowed as indentation"]],
  ["text that is not closed", `${OK}index: "text\n`, ['p.yaml:6:1  Missing closing "quote']],
  [
    "a secret that is not there",
    `${HEAD}source: { type: huggingface, repo: a/b, token: "\${secret:TOKEN}" }\n${SINK}`,
    [
      "p.yaml:3:48  source.token: there is no secret TOKEN; set the environment variable TOKEN, or name a folder of secrets with SLUICE_SECRETS_DIR",
    ],
  ],
  [
    "a secret in plain text, with --strict",
    `${HEAD}source: { type: huggingface, repo: a/b, token: ${TOKEN} }\n${SINK}# before: ${TOKEN}\n`,
    [
      `p.yaml:3:48  source.token: found a secret in plain text; ${NAMED}`,
      "p.yaml:5:1  found a token of Hugging Face in a comment; take it out, and no longer use it",
    ],
    { strict: true },
  ],
  [
    "a password in an address, with --strict",
    `${HEAD}source: { type: files, include: "https://me:word@host/a" }\n${SINK}`,
    [`p.yaml:3:33  source.include: found a password in an address in plain text; ${NAMED}`],
    { strict: true },
  ],
  [
    "a mode that never will be",
    `${OK}`.replace("table: t", "table: t, mode: merge"),
    ['p.yaml:4:38  sink.mode: expected one of append, error, replace, sync, found "merge"'],
  ],
  ["a key that is given twice", `${OK}name: b\n`, ["p.yaml:5:1  name: this key is given twice; keys must be unique"]],
  [
    "keys that are no text",
    `${OK}1: x\n[a]: x\n`,
    ["p.yaml:5:1  expected a key that is text", "p.yaml:6:1  expected a key that is text"],
  ],
  [
    "merge keys",
    `${OK}errors: { <<: { max: 1 } }\n`,
    ["p.yaml:5:11  errors: merge keys (<<) are not supported; write the keys out"],
  ],
  ["tags", `${OK}index: !!set { text }\n`, ["p.yaml:5:8  Unresolved tag: tag:yaml.org,2002:set"]],
  [
    "broken YAML",
    "name: [a\nsink: b\n",
    ["p.yaml:2:1  Flow sequence in block collection must be sufficiently indented and end with a ]"],
  ],
]

describe("a document that is wrong", () => {
  it.each(WRONG.map(([what, text, expected, options = {}]) => ({ what, text, expected, options })))(
    "says what: $what",
    async ({ text, expected, options }) => {
      expect(await problems(text, [], {}, options)).toEqual(expected)
    },
  )

  it("refuses column types and names that do not do", async () => {
    const [type, name, ...others] = await problems(`${OK}schema: { a: TXT, _item: TEXT, b: "EMBEDDING(3)" }\n`)
    expect(type).toMatch(/^p\.yaml:5:14 {2}schema\.a: .*expected a column type \(TEXT, .*found "TXT"$/)
    expect(name).toMatch(/^p\.yaml:5:26 {2}schema\._item: Column name "_item" is reserved/)
    expect(others).toEqual([])
  })

  it("shows no more than people read", async () => {
    expect((await problems(`${OK}max_item_bytes: "${"x".repeat(500_000)}"\n`)).join("\n").length).toBeLessThan(2000)
    const lines = await problems(OK + Array.from({ length: 50 }, (_, i) => `unknown_${i}: 1\n`).join(""))
    expect(lines).toHaveLength(31)
    expect(lines.at(-1)).toBe("... and 20 more problems")
  })
})

describe("overrides", () => {
  it("take the place of values, of variables that are not set, and of what is not there", async () => {
    const text = `${HEAD}${SOURCE}sink: { type: lance, table: t, uri: "\${NOT_SET}" }\n`
    const { document } = await parsePipeline(text, "p.yaml", { N: "3" }, [
      "sink.uri=./out",
      "name=x: y",
      "workers.threads=${N}",
      "index=[text, filename]",
      "source.include=docs/*.md",
      "sink.table=2024",
    ])
    expect(document).toMatchObject({
      name: "x: y",
      sink: { uri: "./out", table: "2024" },
      workers: { threads: 3 },
      index: ["text", "filename"],
      source: { include: "docs/*.md" },
    })
  })

  it("are named by problems instead of a place", async () => {
    const overrides = ["sink.mode=snyc", "wrkers.threads=2", "name.x=1", "index={a", "sink.table=${NOPE}"]
    expect(await problems(OK, overrides)).toEqual([
      "--set name.x  name: expected a mapping to set a key of; set the whole of it instead",
      "--set index  index: Flow map must end with a }",
      "--set sink.table  sink.table: environment variable NOPE is not set; set it, or give a default: ${NOPE:-...}",
      '--set wrkers.threads  wrkers: unknown key; did you mean "workers"?',
      '--set sink.mode  sink.mode: expected one of append, error, replace, sync, found "snyc"',
    ])
  })

  it.each(["name", "=x", "a..b=1", "__proto__.x=1"])("must be KEY=VALUE: %s", async (override) => {
    expect(await problems(OK, [override])).toEqual([
      `--set: expected KEY=VALUE, such as sink.table=docs, found ${JSON.stringify(override)}`,
    ])
  })
})

describe("variables", () => {
  const named = async (name: string, env: Record<string, string>) =>
    (await parsePipeline(`version: 1\nname: ${name}\n${SOURCE}${SINK}`, "p.yaml", env)).document.name

  it("are replaced in values, with defaults for those that are not set or empty", async () => {
    expect(await named('"a-${X}-${Y:-d}-${Z:-e}"', { X: "1", Z: "" })).toBe("a-1-d-e")
    expect(await named('"${X}"', { X: "2024" })).toBe("2024")
    expect(await named('"$${X}"', { X: "no" })).toBe("${X}")
    expect(await named("pre$X", { X: "no" })).toBe("pre$X")
  })

  it("bring no structure with them", async () => {
    expect(await named("${X}", { X: "{ a: 1 }\nsink: evil" })).toBe("{ a: 1 }\nsink: evil")
  })

  it("stand for numbers where numbers are expected", async () => {
    const text = `${OK}workers: { threads: "\${N:-4}", timeout: "\${T:-90s}" }\ncommit_every: \${C:-500}\nflush_every: 50\n`
    const { document, plan } = await parsePipeline(text, "p.yaml", {})
    expect(document.workers).toEqual({ threads: 4, timeout: 90_000 })
    expect(plan.commit.rows).toBe(500)
  })

  it.each([
    ["${X}", "environment variable X is not set; set it, or give a default: ${X:-...}"],
    ["${constructor}", "environment variable constructor is not set; set it, or give a default: ${constructor:-...}"],
    [
      "${secret:TOKEN}",
      "there is no secret TOKEN; set the environment variable TOKEN, or name a folder of secrets with SLUICE_SECRETS_DIR",
    ],
    ["${X", "expected } at the end of ${X"],
    ["${}", "expected ${NAME} or ${NAME:-default}, found ${}"],
    ["${X-y}", "expected ${NAME} or ${NAME:-default}, found ${X-y}"],
    ["${X:-${Y}}", "a default cannot hold another variable: ${X:-${Y}"],
  ])("that cannot be replaced are problems: %s", async (text, message) => {
    expect(await problems(`version: 1\nname: '${text}'\n${SOURCE}${SINK}`)).toEqual([`p.yaml:2:7  name: ${message}`])
  })

  it("are not looked for in keys", async () => {
    expect((await problems(`${OK}"\${KEY}": 1\n`, [], { KEY: "index" }))[0]).toMatch(
      /^p\.yaml:5:1 {2}\$\{KEY\}: unknown key/,
    )
  })
})
