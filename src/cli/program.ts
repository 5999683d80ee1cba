/** Commands and their options. What a command does is loaded when it runs, so that help is there at once. */
import { readFileSync } from "node:fs"
import { Command, InvalidArgumentError, Option } from "commander"
import { escapeLines } from "../observe/escape.ts"
import { LOG_FORMATS } from "../observe/log.ts"

export type Environment = Readonly<Record<string, string | undefined>>

export const FORMATS = ["table", "json", "csv"] as const
export type Format = (typeof FORMATS)[number]

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

const names = (text: string): readonly string[] => text.split(",").map((name) => name.trim())

const count = (text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("Expected a whole number.")
}

const atLeastOne = (text: string): number => {
  if (count(text) > 0) return count(text)
  throw new InvalidArgumentError("Expected a whole number of at least 1.")
}

const port = (text: string): number => {
  if (count(text) < 2 ** 16) return count(text)
  throw new InvalidArgumentError("Expected a port, from 0 to 65535.")
}

const version = (): string => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string
  }
  return version
}

const EPILOGUE = `
Exit codes: 0 done, 1 failed, 2 bad configuration, 3 too many items failed,
130 or 143 interrupted after what was in flight was committed.`

/** `exit` is told the exit code of a command that ended without an error, but not with 0. */
export const createProgram = (env: Environment, exit: (code: number) => void): Command => {
  const program = new Command("sluice")
    .description("Streams files into a versioned, searchable dataset.")
    .version(version(), "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(escapeLines(text)) })
    .addHelpText("after", EPILOGUE)
    .hook("preAction", async () => {
      const { keepTogether } = await import("./temp.ts")
      await keepTogether()
    })

  const uri = (): Option =>
    new Option("--uri <folder>", "folder of the database; SLUICE_URI gives another default").default(
      env.SLUICE_URI || "./data",
    )
  const format = (): Option =>
    new Option("--format <format>", "how to print the result").choices(FORMATS).default("table" satisfies Format)

  program
    .command("run")
    .description("Run pipelines, one after the other; the first that does not get to its end is the last.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value, such as sink.table=docs (repeatable)", collect)
    .option("--json", "print the summary as one line of JSON on standard output")
    .action(async (files: string[], options) => {
      const { runCommand } = await import("./commands/run.ts")
      exit(await runCommand(files, options, env))
    })

  program
    .command("ingest")
    .description("Add files to a table. Files that are in it already are skipped.")
    .argument("<path...>", "files, folders and globs")
    .requiredOption("--table <name>", "name of the table; made when it is not there")
    .addOption(uri())
    .option("--index <column>", "TEXT column to search in (repeatable)", collect)
    .addOption(
      new Option(
        "--mode <mode>",
        "what to do with a table that is there: add to it, refuse it, replace its rows, or follow the source",
      )
        .choices(["append", "error", "replace", "sync"])
        .default("append"),
    )
    .option("--include-hidden", "take files and folders whose name starts with a dot")
    .option("--exclude <glob>", "name, path or glob to leave out (repeatable)", collect)
    .option("--threads <n>", "worker threads", count)
    .option("--flush-every <n>", "rows that make a record batch", count)
    .option("--commit-every <n>", "rows that make a version of the table", count)
    .option("--max-errors <n>", "new failures that are borne", count)
    .option("--chunk-size <n>", "characters of a text row", count)
    .option("--chunk-overlap <n>", "characters that neighbouring text rows share", count)
    .option("--dpi <n>", "resolution of PDF pages", count)
    .option("--segment <duration>", "length of a video segment, such as 10s")
    .option("--no-thumbnails", "make no thumbnails")
    .option("--json", "print the summary as one line of JSON on standard output")
    .action(async (paths: string[], options) => {
      const { ingestCommand } = await import("./commands/ingest.ts")
      exit(await ingestCommand(paths, options))
    })

  program
    .command("serve")
    .description("Run pipelines by their schedules, until a signal comes. Documents that change are loaded again.")
    .argument("<path...>", "folders of pipeline documents (YAML), and files")
    .option("--port <n>", "answer /ping, /ready, /metrics and /runs on this port (0: any that is free)", port, 9464)
    .option("--host <address>", "of this interface; 0.0.0.0 lets other machines ask", "127.0.0.1")
    .option("--no-http", "do not listen")
    .option("--concurrency <n>", "runs at once; others wait", atLeastOne, 1)
    .addOption(new Option("--log-format <format>", "how to write log lines").choices(LOG_FORMATS).default("text"))
    .action(async (paths: string[], options) => {
      const { serveCommand } = await import("./commands/serve.ts")
      exit(await serveCommand(paths, options, env))
    })

  program
    .command("validate")
    .description("Check pipelines without running them; all problems are told at once.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value (repeatable)", collect)
    .action(async (files: string[], options) => {
      const { validateCommand } = await import("./commands/validate.ts")
      await validateCommand(files, options, env)
    })

  program
    .command("check")
    .description("Try what pipelines read from and write to, and write nothing.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value (repeatable)", collect)
    .action(async (files: string[], options) => {
      const { checkCommand } = await import("./commands/check.ts")
      exit(await checkCommand(files, options, env))
    })

  program
    .command("schema")
    .description("Print the JSON Schema of pipeline documents, for editors.")
    .action(async () => {
      const { schemaCommand } = await import("./commands/schema.ts")
      schemaCommand()
    })

  program
    .command("preview")
    .description("Show the first rows that pipelines would write, and their types. Nothing is written.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value (repeatable)", collect)
    .option("--limit <n>", "at most so many rows", count, 10)
    .addOption(format())
    .action(async (files: string[], options) => {
      const { previewCommand } = await import("./commands/preview.ts")
      await previewCommand(files, options, env)
    })

  program
    .command("plan")
    .description("Show what runs would do: what is new, changed, vanished, known to fail. Nothing is written.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value (repeatable)", collect)
    .option("--json", "print JSON")
    .action(async (files: string[], options) => {
      const { planCommand } = await import("./commands/plan.ts")
      await planCommand(files, options, env)
    })

  program
    .command("retry")
    .description("Try again the items that failed, and no others; those that come through leave the dead letters.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .option("--set <key=value>", "override a value (repeatable)", collect)
    .option("--json", "print the summary as one line of JSON on standard output")
    .action(async (files: string[], options) => {
      const { retryCommand } = await import("./commands/retry.ts")
      exit(await retryCommand(files, options, env))
    })

  program
    .command("dead-letters")
    .description("List the items of a table that failed, and why.")
    .argument("<table>")
    .option("--all", "items that are there in part, and items without rows, too")
    .option("--limit <n>", "at most so many", count)
    .addOption(uri())
    .addOption(format())
    .action(async (table: string, options) => {
      const { deadLettersCommand } = await import("./commands/dead-letters.ts")
      await deadLettersCommand(table, options)
    })

  program
    .command("runs")
    .description("List the runs, newest first.")
    .option("--table <name>", "only those into this table")
    .option("--limit <n>", "at most so many", count, 20)
    .addOption(uri())
    .addOption(format())
    .action(async (options) => {
      const { runsCommand } = await import("./commands/runs.ts")
      await runsCommand(options)
    })

  program
    .command("tables")
    .description("List the tables.")
    .addOption(uri())
    .addOption(format())
    .action(async (options) => {
      const { tablesCommand } = await import("./commands/tables.ts")
      await tablesCommand(options)
    })

  program
    .command("inspect")
    .description("Show what a table is made of, and which items failed.")
    .argument("<table>")
    .addOption(uri())
    .addOption(format())
    .action(async (table: string, options) => {
      const { inspectCommand } = await import("./commands/inspect.ts")
      await inspectCommand(table, options)
    })

  program
    .command("search")
    .description("Find the rows that have any of the words, best first.")
    .argument("<table>")
    .argument("<word...>")
    .option("--limit <n>", "at most so many rows", count)
    .option("--column <name>", "the column to search, where several have an index")
    .addOption(uri())
    .addOption(format())
    .action(async (table: string, words: string[], options) => {
      const { searchCommand } = await import("./commands/search.ts")
      await searchCommand(table, words, options)
    })

  program
    .command("export")
    .description("Write a table as a Parquet file, or every row's value of one column to a file.")
    .argument("<table>")
    .argument("<target>", "a file that ends in .parquet; or, with --column, a folder")
    .option("--columns <names>", "the columns of the Parquet file, with commas between; all of them otherwise", names)
    .option("--where <condition>", "only rows that fulfil it, such as: width > 640")
    .option("--overwrite", "replace a Parquet file that is there")
    .option("--column <name>", "write this column, one of bytes or text, as files into a folder")
    .addOption(uri())
    .action(async (table: string, target: string, options) => {
      const { exportCommand } = await import("./commands/export.ts")
      await exportCommand(table, target, options)
    })

  program
    .command("push")
    .description("Publish a table as a dataset of the Hugging Face Hub. HF_TOKEN has the token, one that may write.")
    .argument("<table>")
    .argument("<repo>", "owner/name; made when it is not there")
    .option("--split <name>", "the split that the rows become; others stay as they are", "train")
    .option("--private", "a dataset that is made can be seen by its owner only")
    .addOption(
      new Option("--hub-url <url>", "another Hub; HF_ENDPOINT gives another default").default(
        env.HF_ENDPOINT || undefined,
      ),
    )
    .addOption(uri())
    .action(async (table: string, repo: string, options) => {
      const { pushCommand } = await import("./commands/push.ts")
      await pushCommand(table, repo, options, env)
    })

  program
    .command("selftest")
    .description("Kill runs on this machine, and check that tables come out whole. Works in a folder of its own.")
    .option("--kills <n>", "how many runs are killed", count, 100)
    .option("--seed <n>", "chooses the moments", count, 1)
    .option("--mutate", "with a fault on purpose, the checkpoint committed apart from the rows: it has to be found")
    .action(async (options) => {
      const { selftestCommand } = await import("./commands/selftest.ts")
      exit(await selftestCommand(options, env))
    })

  program
    .command("unlock")
    .description("Free a table whose writer is gone and has left its lock behind.")
    .argument("<table>")
    .addOption(uri())
    .action(async (table: string, options) => {
      const { unlockCommand } = await import("./commands/unlock.ts")
      await unlockCommand(table, options)
    })

  return program
}
