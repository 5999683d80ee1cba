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
  choices: ["append", "error", "replace"],
  planned: ["sync"],
  default: "append",
  description: "Add what is new (`append`), refuse a table that exists (`error`), or replace all rows (`replace`).",
} as const satisfies Field

export interface SinkValues extends ComponentValues {
  readonly mode: WriteMode
}

export interface SinkExtra {
  readonly index: readonly string[]
}

export const SINKS: readonly Component<Sink, SinkExtra>[] = [
  component(
    "lance",
    "A Lance table in a local folder.",
    {
      uri: {
        type: "text",
        default: "./data",
        variable: "SLUICE_URI",
        check: localPath,
        description: "Folder of the database; made when it is not there. Relative ones from the working directory.",
      },
      table: TABLE,
      mode: MODE,
    },
    ({ uri, table }, { index }) => lance({ uri, table, index }),
  ),
  component(
    "memory",
    "Keeps the rows in memory, for trying a pipeline out: nothing is written.",
    { table: TABLE, mode: MODE },
    ({ table }, { index }) => {
      if (index.length > 0) throw new ConfigError('index: a sink of type "memory" has no indexes; leave "index" out')
      return memory({ table })
    },
  ),
]
