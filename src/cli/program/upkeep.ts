/** Commands for when something went wrong, or might. */
import type { Command } from "commander"
import { count, uriOption } from "../arguments.ts"
import type { Environment } from "../environment.ts"

export const addUpkeepCommands = (program: Command, env: Environment, exit: (code: number) => void): void => {
  program
    .command("unlock")
    .description("Free a table whose writer is gone and has left its lock behind.")
    .argument("<table>")
    .addOption(uriOption(env))
    .action(async (table: string, options) => {
      const { unlockCommand } = await import("../commands/unlock.ts")
      await unlockCommand(table, options)
    })

  program
    .command("drop")
    .description("Delete a table for good, with all its versions and side tables.")
    .argument("<table>")
    .option("--yes", "do so: without it, nothing is deleted")
    .addOption(uriOption(env))
    .action(async (table: string, options) => {
      const { dropCommand } = await import("../commands/drop.ts")
      await dropCommand(table, options)
    })

  program
    .command("selftest")
    .description("Kill runs on this machine, and check that tables come out whole. Works in a folder of its own.")
    .option("--kills <n>", "how many runs are killed", count, 100)
    .option("--seed <n>", "chooses the moments", count, 1)
    .option("--mutate", "with a fault on purpose, the checkpoint committed apart from the rows: it has to be found")
    .action(async (options) => {
      const { selftestCommand } = await import("../commands/selftest.ts")
      exit(await selftestCommand(options, env))
    })
}
