/** Commands that run pipelines, and that tell of runs. */
import { type Command, Option } from "commander"
import { LOG_FORMATS, type LogFormat } from "../../observe/log.ts"
import { atLeastOne, collect, count, formatOption, port, setOption, strictOption, uriOption } from "../arguments.ts"
import type { Environment } from "../environment.ts"

const jsonOption = (): Option => new Option("--json", "print the summary as one line of JSON on standard output")

const logOption = (what: string): Option =>
  new Option("--log-format <format>", what).choices(LOG_FORMATS).default("text" satisfies LogFormat)

const RUN_LOG = "what is told on standard error: progress and text, or log lines of JSON"

export const addRunCommands = (program: Command, env: Environment, exit: (code: number) => void): void => {
  program
    .command("run")
    .description("Run pipelines, one after the other; the first that does not get to its end is the last.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .addOption(strictOption())
    .addOption(jsonOption())
    .addOption(logOption(RUN_LOG))
    .action(async (files: string[], options) => {
      const { runCommand } = await import("../commands/run.ts")
      exit(await runCommand(files, options, env))
    })

  program
    .command("ingest")
    .description("Add files to a table. Files that are in it already are skipped.")
    .argument("<path...>", "files, folders and globs")
    .requiredOption("--table <name>", "name of the table; made when it is not there")
    .addOption(uriOption(env))
    .option(
      "--index <column>",
      "column that gets the index of its type, such as text to search in (repeatable)",
      collect,
    )
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
    .addOption(jsonOption())
    .addOption(logOption(RUN_LOG))
    .action(async (paths: string[], options) => {
      const { ingestCommand } = await import("../commands/ingest.ts")
      exit(await ingestCommand(paths, options, env))
    })

  program
    .command("plan")
    .description("Show what runs would do: what is new, changed, vanished, known to fail. Nothing is written.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .option("--json", "print JSON")
    .action(async (files: string[], options) => {
      const { planCommand } = await import("../commands/plan.ts")
      await planCommand(files, options, env)
    })

  program
    .command("retry")
    .description("Try again the items that failed, and no others; those that come through leave the dead letters.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .addOption(jsonOption())
    .addOption(logOption(RUN_LOG))
    .action(async (files: string[], options) => {
      const { retryCommand } = await import("../commands/retry.ts")
      exit(await retryCommand(files, options, env))
    })

  program
    .command("serve")
    .description("Run pipelines by their schedules, until a signal comes. Documents that change are loaded again.")
    .argument("<path...>", "folders of pipeline documents (YAML), and files")
    .option("--port <n>", "answer /ping, /ready, /metrics and /runs on this port (0: any that is free)", port, 9464)
    .option("--host <address>", "of this interface; 0.0.0.0 lets other machines ask", "127.0.0.1")
    .option("--no-http", "do not listen")
    .option("--concurrency <n>", "runs at once; others wait", atLeastOne, 1)
    .addOption(strictOption())
    .addOption(logOption("how to write log lines"))
    .action(async (paths: string[], options) => {
      const { serveCommand } = await import("../commands/serve.ts")
      exit(await serveCommand(paths, options, env))
    })

  program
    .command("runs")
    .description("List the runs, newest first.")
    .option("--table <name>", "only those into this table")
    .option("--limit <n>", "at most so many", count, 20)
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (options) => {
      const { runsCommand } = await import("../commands/runs.ts")
      await runsCommand(options)
    })
}
