/** The sources and sinks that a document can name by `type`. A new one is one entry here. */
import type { WriteMode } from "../engine/plan.ts"
import { ConfigError } from "../model/errors.ts"
import type { Feed } from "../model/feed.ts"
import { type Component, type ComponentValues, component, type Field } from "../model/fields.ts"
import type { Sink } from "../model/sink.ts"
import type { Source } from "../model/source.ts"
import type { SchemaMap } from "../model/types.ts"
import { lance } from "../sinks/lance.ts"
import { memory } from "../sinks/memory.ts"
import { parquet } from "../sinks/parquet/parquet.ts"
import { files } from "../sources/files.ts"
import { HUGGINGFACE_FIELDS, huggingFaceOptions } from "../sources/huggingface/fields.ts"
import { huggingface } from "../sources/huggingface.ts"
import { checkTableName, localPath } from "../store/database.ts"

export interface SourceExtra {
  /** Column types of the document, for sources that make rows by themselves. */
  readonly schema: SchemaMap
}

export const SOURCES: readonly Component<Source | Feed, SourceExtra>[] = [
  component(
    "files",
    "Files, folders and globs on this machine.",
    {
      include: {
        type: "texts",
        description: "Files, folders (with all that is in them) and globs; relative ones from the working directory.",
      },
      exclude: {
        type: "texts",
        default: [],
        description:
          "What is left out: names (`*.tmp`, `node_modules`), `**` globs, or paths and globs as in `include`.",
      },
      hidden: { type: "boolean", default: false, description: "Take files and folders whose name starts with a dot." },
      symlinks: {
        type: "choice",
        choices: ["skip", "follow"],
        default: "skip",
        description: "What to do with symbolic links inside of folders.",
      },
    },
    ({ include, exclude, hidden, symlinks }) => files({ include, exclude: [exclude].flat(), hidden, symlinks }),
  ),
  component("huggingface", "A dataset of the Hugging Face Hub.", HUGGINGFACE_FIELDS, (values, { schema }) =>
    huggingface({ ...huggingFaceOptions(values), schema }),
  ),
]

const TABLE = {
  type: "text",
  check: checkTableName,
  description: "Name of the table.",
} as const satisfies Field

/** How rows are written; it is the run's, but stands with the sink. */
const MODE = {
  type: "choice",
  choices: ["append", "error", "replace", "sync"],
  default: "append",
  description:
    "Add what is new (`append`), refuse a table that exists (`error`), replace all rows (`replace`), or follow the source: new, changed and vanished items (`sync`).",
} as const satisfies Field

const MAX_DELETE_RATIO = {
  type: "number",
  min: 0,
  max: 1,
  optional: true,
  description: "`sync` removes at most this share of the items; where more have vanished, none. Default 0.2.",
} as const satisfies Field

export interface SinkValues extends ComponentValues {
  readonly mode: WriteMode
  readonly max_delete_ratio?: number
}

export interface SinkExtra {
  readonly index: readonly string[]
}

const URI = {
  type: "text",
  default: "./data",
  variable: "SLUICE_URI",
  check: localPath,
  description: "Folder of the database; made when it is not there. Relative ones from the working directory.",
} as const satisfies Field

const withoutIndex = (type: string, { index }: SinkExtra): void => {
  if (index.length > 0) throw new ConfigError(`index: a sink of type "${type}" has no indexes; leave "index" out`)
}

export const SINKS: readonly Component<Sink, SinkExtra>[] = [
  component(
    "lance",
    "A Lance table in a local folder.",
    {
      uri: URI,
      table: TABLE,
      mode: MODE,
      max_delete_ratio: MAX_DELETE_RATIO,
      durability: {
        type: "choice",
        choices: ["process", "fsync"],
        default: "process",
        description: "A commit survives the end of the process (`process`), or a loss of power, too (`fsync`).",
      },
    },
    ({ uri, table, durability }, { index }) => lance({ uri, table, index, durability }),
  ),
  component(
    "parquet",
    "A folder of Parquet files, which datasets in Python, DuckDB, Arrow and Spark read as they are.",
    { uri: URI, table: TABLE, mode: MODE, max_delete_ratio: MAX_DELETE_RATIO },
    ({ uri, table }, extra) => {
      withoutIndex("parquet", extra)
      return parquet({ uri, table })
    },
  ),
  component(
    "memory",
    "Keeps the rows in memory, for trying a pipeline out: nothing is written.",
    { table: TABLE, mode: MODE, max_delete_ratio: MAX_DELETE_RATIO },
    ({ table }, extra) => {
      withoutIndex("memory", extra)
      return memory({ table })
    },
  ),
]
