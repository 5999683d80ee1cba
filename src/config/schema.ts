/** The pipeline document: its keys and what they hold. */
import * as Schema from "effect/Schema"
import type { ComponentValues, Fields } from "../model/fields.ts"
import type { MediaOptions } from "../pipeline.ts"
import { checkTimeZone, parseCron } from "../schedule/cron.ts"
import { columnTypes } from "./column-types.ts"
import { checked, fieldSchema, fieldsSchema, isNumberText, JSON_FORM, membersOf } from "./fields.ts"
import type { Environment } from "./interpolate.ts"
import type { Registry, SinkValues } from "./registry.ts"
import { stagesSchema } from "./stages.ts"
import { testsSchema } from "./test-schema.ts"

/** Under this name the schema of a union keeps the types of its members, for messages. */
export const COMPONENT_TYPES = "componentTypes"

interface Described {
  readonly type: string
  readonly fields: Fields
}

/** One of several mappings, told apart by their `type`. */
const componentSchema = <Values>(components: readonly Described[], env: Environment): Schema.Codec<Values, unknown> =>
  Schema.Union(
    components.map(({ type, fields }) => Schema.Struct({ type: Schema.Literal(type), ...membersOf(fields, env) })),
  ).annotate({ [COMPONENT_TYPES]: components.map(({ type }) => type) }) as unknown as Schema.Codec<Values, unknown>

const ROWS = "expected a whole number of rows of at least 1"
const isRows = (rows: number): boolean => Number.isSafeInteger(rows) && rows >= 1

const trigger = (what: string, about: string) =>
  Schema.Union([
    Schema.Number.check(Schema.makeFilter((rows) => isRows(rows) || `${ROWS}, found ${rows}`)),
    // What a variable stands for is text.
    Schema.String.check(
      Schema.makeFilter(
        (text) => (isNumberText(text) && isRows(Number(text))) || `${ROWS}, found ${JSON.stringify(text)}`,
      ),
    ),
    fieldsSchema({
      rows: { type: "integer", min: 1, optional: true, description: `Rows that make a ${what}.` },
      bytes: { type: "bytes", min: 1, optional: true, description: `Bytes that make a ${what}.` },
      period: { type: "duration", min: 1, optional: true, description: `Time from the first row to a ${what}.` },
    }),
  ]).annotate({
    expected: "a whole number of rows, or a mapping with rows, bytes or period",
    description: about,
  })

const normalizeSchema = (normalizers: Registry["normalizers"]) =>
  Schema.Struct(
    Object.fromEntries(normalizers.map(({ name, options }) => [name, Schema.optionalKey(fieldsSchema(options))])),
  ) as unknown as Schema.Codec<MediaOptions, unknown>

/** Timers take no more. */
const MAX_TIMEOUT = 2 ** 31 - 1
const MAX_JITTER = 86_400_000

const SCHEDULE = {
  cron: {
    type: "text",
    check: (text) => void parseCron(text),
    description:
      "When `sluice serve` runs the pipeline: minute, hour, day, month and weekday; seconds before them where there are six; or @hourly, @daily, @weekly, @monthly, @yearly.",
  },
  timezone: {
    type: "text",
    default: "UTC",
    check: checkTimeZone,
    description: "The IANA time zone of its times, such as Europe/Berlin.",
  },
  overlap: {
    type: "choice",
    choices: ["skip", "queue", "cancel"],
    default: "skip",
    description:
      "A run that is due while the one before it goes on is left out (`skip`), begins after it (`queue`), or takes its place (`cancel`: that one is drained).",
  },
  catch_up: {
    type: "choice",
    choices: ["none", "last"],
    default: "none",
    description:
      "Runs that were missed or cut off while no server was there are left out (`none`), or made up for by one run (`last`).",
  },
  jitter: {
    type: "duration",
    default: 0,
    min: 0,
    max: MAX_JITTER,
    description: "Each run begins up to so much later, at random, so that many servers do not begin at once.",
  },
} as const satisfies Fields

/** The document's schema. Some defaults come from the environment. */
export const documentSchema = ({ sources, formats, sinks, normalizers }: Registry, env: Environment) =>
  Schema.Struct({
    version: checked(
      (value) => (value === 1 ? undefined : `expected 1, the version of this format, found ${JSON.stringify(value)}`),
      () => 1 as const,
    ).annotate({ [JSON_FORM]: { description: "The version of this format.", const: 1 } }),
    name: fieldSchema({ type: "text", description: "Name of the pipeline; its runs are recorded under it." }),
    plugins: Schema.optionalKey(
      fieldSchema({
        type: "texts",
        optional: true,
        description:
          "Modules that the document may take code from: files such as `./embed.ts`, relative to the document, and packages. They are run when the document is loaded.",
      }),
    ),
    source: Schema.optionalKey(componentSchema<ComponentValues>(sources, env)),
    format: Schema.optionalKey(componentSchema<ComponentValues>(formats, env)),
    normalize: Schema.optionalKey(normalizeSchema(normalizers)),
    stages: Schema.optionalKey(
      stagesSchema.annotate({ description: "What is done with rows before they are written, in this order." }),
    ),
    sink: componentSchema<SinkValues>(sinks, env),
    schema: Schema.optionalKey(
      columnTypes.annotate({
        description: "Column types that win over the ones that the rows come with, by the columns' names.",
      }),
    ),
    contract: Schema.optionalKey(
      fieldSchema({
        type: "choice",
        choices: ["evolve", "freeze", "discard_row"],
        default: "evolve",
        description:
          "Columns that the table lacks are added (`evolve`) or make the item fail (`freeze`); or rows that do not fit are left out (`discard_row`).",
      }),
    ),
    flush_every: Schema.optionalKey(
      trigger(
        "flush",
        "When buffered rows become a record batch: so many rows, or what comes first. Default 200 rows or 8 MiB.",
      ),
    ),
    commit_every: Schema.optionalKey(
      trigger(
        "commit",
        "When record batches become a version of the table: so many rows, or what comes first. Default 2,000 rows or 48 MiB.",
      ),
    ),
    index: Schema.optionalKey(
      fieldSchema({ type: "texts", optional: true, description: "Columns that get the index of their type." }),
    ),
    errors: Schema.optionalKey(
      fieldsSchema({
        max: { type: "integer", min: 0, optional: true, description: "So many new failures are borne." },
        max_ratio: {
          type: "number",
          min: 0,
          max: 1,
          optional: true,
          description: "The same as a share of the items that were tried, once there are 20 of them.",
        },
      }).annotate({ description: "How many failures a run bears before it stops; what was good is committed." }),
    ),
    workers: Schema.optionalKey(
      fieldsSchema({
        threads: {
          type: "integer",
          min: 1,
          max: 256,
          optional: true,
          description: "Worker threads, and as many child processes at most.",
        },
        timeout: {
          type: "duration",
          min: 1,
          max: MAX_TIMEOUT,
          optional: true,
          description: "Time without progress after which an item is given up.",
        },
        memory: {
          type: "bytes",
          min: 1,
          optional: true,
          description:
            "Memory that an item may take in a child process (videos, very large pictures); by default a quarter of the machine's.",
        },
      }).annotate({ description: "Where rows are made." }),
    ),
    shutdown_timeout: Schema.optionalKey(
      fieldSchema({
        type: "duration",
        min: 0,
        max: MAX_TIMEOUT,
        description: "How long a drain waits for items in flight.",
      }),
    ),
    max_item_bytes: Schema.optionalKey(
      fieldSchema({ type: "bytes", min: 1, description: "Bytes that one item may take in memory." }),
    ),
    schedule: Schema.optionalKey(
      fieldsSchema(SCHEDULE).annotate({ description: "When `sluice serve` runs the pipeline." }),
    ),
    tests: Schema.optionalKey(
      testsSchema.annotate({ description: "What the pipeline makes of known input, for `sluice test`." }),
    ),
  })

export type PipelineDocument = ReturnType<typeof documentSchema>["Type"]
