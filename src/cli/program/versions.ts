/** Commands about the versions of tables. */
import type { Command } from "commander"
import { atOption, count, formatOption, uriOption } from "../arguments.ts"
import type { Environment } from "../environment.ts"

export const addVersionCommands = (program: Command, env: Environment): void => {
  program
    .command("versions")
    .description("List the versions of a table, newest first: one line for each run into it.")
    .argument("<table>")
    .option("--limit <n>", "at most so many", count, 20)
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (table: string, options) => {
      const { versionsCommand } = await import("../commands/versions.ts")
      await versionsCommand(table, options)
    })

  program
    .command("tag")
    .description("Name a version of a table, to read it by the name and to keep it from being cleaned up.")
    .argument("<table>")
    .argument("<name>")
    .option("--at <version>", "another version than the one that the table has now")
    .option("--move", "take the name from the version that has it")
    .option("--delete", "take the name away")
    .addOption(uriOption(env))
    .action(async (table: string, name: string, options) => {
      const { tagCommand } = await import("../commands/tag.ts")
      await tagCommand(table, name, options)
    })

  program
    .command("diff")
    .description("List the items in which two versions of a table differ: added, changed, removed.")
    .argument("<table>")
    .argument("<from>", "a version, or a tag")
    .argument("[to]", "another one; without, the version that the table has now")
    .option("--limit <n>", "list at most so many; all are counted", count, 100)
    .addOption(uriOption(env))
    .addOption(formatOption())
    .action(async (table: string, from: string, to: string | undefined, options) => {
      const { diffCommand } = await import("../commands/diff.ts")
      await diffCommand(table, from, to, options)
    })

  program
    .command("restore")
    .description("Make a table what it was at a version, as a new version. The next run goes on from there.")
    .argument("<table>")
    .argument("<version>", "a version, or a tag")
    .addOption(uriOption(env))
    .action(async (table: string, version: string, options) => {
      const { restoreCommand } = await import("../commands/restore.ts")
      await restoreCommand(table, version, options)
    })

  program
    .command("branch")
    .description(
      "Make another table that begins as this one is, or was. From then on, nothing becomes of one by the other.",
    )
    .argument("<table>")
    .argument("<name>", "of the new table")
    .addOption(atOption())
    .addOption(uriOption(env))
    .action(async (table: string, name: string, options) => {
      const { branchCommand } = await import("../commands/branch.ts")
      await branchCommand(table, name, options)
    })
}
