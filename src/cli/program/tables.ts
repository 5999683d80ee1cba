/** Commands that look at tables, and take them elsewhere. */
import { type Command, Option } from "commander"
import { atLeastOne, atOption, collect, count, formatOption, names, uriOption } from "../arguments.ts"
import type { Environment } from "../environment.ts"

export const addTableCommands = (program: Command, env: Environment): void => {
  program
    .command("tables")
    .description("List the tables.")
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (options) => {
      const { tablesCommand } = await import("../commands/tables.ts")
      await tablesCommand(options)
    })

  program
    .command("inspect")
    .description("Show what a table is made of, its first rows, and which items failed.")
    .argument("<table>")
    .option("--rows <n>", "so many rows at most", count, 3)
    .addOption(atOption())
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (table: string, options) => {
      const { inspectCommand } = await import("../commands/inspect.ts")
      await inspectCommand(table, options)
    })

  program
    .command("search")
    .description("Find the rows that fit words, a vector or both, best first.")
    .argument("<table>")
    .argument("[word...]")
    .option("--limit <n>", "at most so many rows (10)", count)
    .option("--column <name>", "the column of text to search, where there are several")
    .option("--vector-from <file>", "a vector, or several, to be near to: a JSON list of numbers, or of such lists")
    .option("--vector-column <name>", "the column of vectors, where there are several")
    .option("--where <condition>", "only rows that fulfil it, such as: page_index < 3")
    .option("--all", "rows that have all of the words, in the order of the table")
    .addOption(atOption())
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (table: string, words: string[], options) => {
      const { searchCommand } = await import("../commands/search.ts")
      await searchCommand(table, words, options)
    })

  program
    .command("query")
    .description("Ask the tables in SQL (PostgreSQL's).")
    .argument("<sql>", "one statement, such as: SELECT label, count(*) FROM photos GROUP BY label")
    .addOption(new Option("--param <value>", "the value of $1; again for $2, and so on").argParser(collect))
    .addOption(new Option("--timeout <seconds>", "how long the query may take").argParser(atLeastOne).default(60))
    .addOption(atOption())
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (sql: string, options) => {
      const { queryCommand } = await import("../commands/query.ts")
      await queryCommand(sql, options)
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
    .addOption(atOption())
    .addOption(uriOption(env))
    .action(async (table: string, target: string, options) => {
      const { exportCommand } = await import("../commands/export.ts")
      await exportCommand(table, target, options)
    })

  program
    .command("push")
    .description("Publish a table as a dataset of the Hugging Face Hub. HF_TOKEN has the token, one that may write.")
    .argument("<table>")
    .argument("<repo>", "owner/name; made when it is not there")
    .option("--split <name>", "the split that the rows become; others stay as they are", "train")
    .option("--private", "a dataset that is made can be seen by its owner only")
    .addOption(atOption())
    .addOption(
      new Option("--hub-url <url>", "another Hub; HF_ENDPOINT gives another default").default(
        env.HF_ENDPOINT || undefined,
      ),
    )
    .addOption(uriOption(env))
    .action(async (table: string, repo: string, options) => {
      const { pushCommand } = await import("../commands/push.ts")
      await pushCommand(table, repo, options, env)
    })

  program
    .command("dead-letters")
    .description("List the items of a table that failed, and why.")
    .argument("<table>")
    .option("--all", "items that are there in part, and items without rows, too")
    .option("--limit <n>", "at most so many", count)
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (table: string, options) => {
      const { deadLettersCommand } = await import("../commands/dead-letters.ts")
      await deadLettersCommand(table, options)
    })
}
