/** The tasks of a LeRobot dataset: what the robot was told to do. */
import { readFile } from "node:fs/promises"
import { checkPointer } from "../../media/lfs.ts"
import { batchOf } from "../../model/batch.ts"
import { numberColumn, textColumn } from "../../model/column.ts"
import { IngestError, messageOf } from "../../model/errors.ts"
import { type Feed, recipeOf } from "../../model/feed.ts"
import { type Columns, Format, type ItemFormat } from "../../model/format.ts"
import type { Item } from "../../model/item.ts"
import { parseJson } from "../../model/json-text.ts"
import type { NormalizeContext, Rows } from "../../model/normalizer.ts"
import type { SchemaMap } from "../../model/types.ts"
import { columnsOf } from "../standalone.ts"
import { DATASET_DIR } from "./chunks.ts"
import { checkSame, locate } from "./files.ts"
import { isV3, readInfo } from "./info.ts"

const NAME = "lerobot_tasks"
const REVISION = 1

const LINES = "meta/tasks.jsonl"
const TABLE = "meta/tasks.parquet"

/** pandas writes the tasks as an index, with its name or without. */
const TASK_COLUMNS = ["task", "__index_level_0__"]

const expectedLine = `{"task_index": 0, "task": "..."}`

interface Task {
  readonly index: number
  readonly task: string
}

const taskOfLine = (line: string): Task => {
  const row = parseJson(line)
  const fields = (typeof row === "object" && row !== null ? row : {}) as Readonly<Record<string, unknown>>
  const { task_index: index, task } = fields
  if (!Number.isSafeInteger(index) || typeof task !== "string") {
    throw new IngestError(`expected a line such as ${expectedLine}, found ${line.slice(0, 200)}`)
  }
  return { index: Number(index), task }
}

async function* ofLines(path: string, { partial }: NormalizeContext): AsyncGenerator<Rows> {
  const bytes = await readFile(path)
  checkPointer(bytes)
  const tasks: Task[] = []
  for (const [number, line] of bytes.toString("utf8").split(/\r?\n/).entries()) {
    if (line.trim() === "") continue
    try {
      tasks.push(taskOfLine(line))
    } catch (error) {
      partial(`${LINES}:${number + 1}: ${messageOf(error)}`)
    }
  }
  if (tasks.length === 0) throw new IngestError(`${LINES} has no tasks: expected a line such as ${expectedLine}`)
  const indexes = BigInt64Array.from(tasks, ({ index }) => BigInt(index))
  yield {
    batch: batchOf({
      task_index: numberColumn(indexes, { name: "INT64" }),
      task: textColumn(tasks.map(({ task }) => task)),
    }),
    medium: NAME,
  }
}

async function* ofParquet(path: string, { signal }: NormalizeContext): AsyncGenerator<Rows> {
  const [{ columnTypes }, { readTable }] = await Promise.all([
    import("../../readers/describe.ts"),
    import("../../readers/read.ts"),
  ])
  const types = await columnTypes(path)
  const name = TASK_COLUMNS.find((column) => types.has(column))
  if (!types.has("task_index") || name === undefined) {
    throw new IngestError(
      `${TABLE}: expected the columns task_index and ${TASK_COLUMNS.join(" or ")}, found ${[...types.keys()].join(", ")}`,
    )
  }
  const columns = [
    { name: "task_index", type: { name: "INT64" } },
    { name, as: "task", type: { name: "TEXT" } },
  ] as const
  let rows = 0
  for await (const batch of readTable({ path, format: "parquet" }, { columns, signal })) {
    rows += batch.rows
    yield { batch, medium: NAME }
  }
  if (rows === 0) throw new IngestError(`${TABLE} has no tasks`)
}

async function* normalizeTasks(item: Item, _options: unknown, context: NormalizeContext): AsyncGenerator<Rows> {
  yield* item.uri.endsWith(".parquet") ? ofParquet(item.uri, context) : ofLines(item.uri, context)
  await checkSame({ path: item.uri, version: item.version })
}

const COLUMNS = { task_index: "INT64", task: "TEXT" } as const satisfies SchemaMap

export interface LeRobotTasksOptions {
  /** Folder of the dataset, with `meta/info.json` in it. */
  readonly datasetDir: string
}

/**
 * The tasks of a LeRobot dataset (codebase v2.0, v2.1, v3.0), a row each: `task_index` INT64, `task` TEXT.
 *
 * A dataset that is none, or of another version, ends the run with an `IngestError`; a list of tasks that is missing,
 * empty or a Git LFS pointer is a failed item; a line that cannot be read is left out and reported.
 *
 * @example
 * ```ts
 * await client.ingest("tasks", null, { format: new LeRobotTasks({ datasetDir: "./droid" }) })
 * ```
 */
export class LeRobotTasks implements ItemFormat<typeof COLUMNS> {
  readonly columnTypes = COLUMNS
  readonly #options: LeRobotTasksOptions

  constructor(options: LeRobotTasksOptions) {
    this.#options = options
  }

  schema(): SchemaMap {
    return COLUMNS
  }

  normalize(): AsyncIterable<Columns> {
    return columnsOf(this.feed())
  }

  feed(): Feed {
    const { datasetDir } = this.#options
    async function* items(): AsyncGenerator<Item, void, undefined> {
      const info = readInfo(datasetDir)
      const id = isV3(info) ? TABLE : LINES
      try {
        const { path, version, bytes } = await locate(info.root, id, "the list of tasks")
        yield { id, uri: path, version, bytes }
      } catch (error) {
        yield { id, uri: info.root, version: "missing", bytes: 0, error: messageOf(error) }
      }
    }
    const recipe = recipeOf(NAME, REVISION)
    return {
      source: { name: NAME, items, total: 1 },
      code: { normalize: normalizeTasks, options: {} },
      route: () => ({ lane: "main", recipe }),
    }
  }
}

export const leRobotTasks = Format.define({
  type: NAME,
  description: "The tasks of a LeRobot dataset (v2.0, v2.1, v3.0): a row a task.",
  fields: { dataset_dir: DATASET_DIR },
  make: ({ dataset_dir }): ItemFormat => new LeRobotTasks({ datasetDir: dataset_dir }),
})
