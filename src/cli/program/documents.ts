/** Commands that look at pipeline documents before they run. */
import type { Command } from "commander"
import { count, formatOption, setOption, strictOption } from "../arguments.ts"
import type { Environment } from "../environment.ts"

export const addDocumentCommands = (program: Command, env: Environment, exit: (code: number) => void): void => {
  program
    .command("validate")
    .description("Check pipelines without running them; all problems are told at once.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .addOption(strictOption())
    .action(async (files: string[], options) => {
      const { validateCommand } = await import("../commands/validate.ts")
      await validateCommand(files, options, env)
    })

  program
    .command("check")
    .description("Try what pipelines read from and write to, and write nothing.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .addOption(strictOption())
    .action(async (files: string[], options) => {
      const { checkCommand } = await import("../commands/check.ts")
      exit(await checkCommand(files, options, env))
    })

  program
    .command("preview")
    .description("Show the first rows that pipelines would write, and their types. Nothing is written.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .option("--limit <n>", "at most so many rows", count, 10)
    .addOption(formatOption())
    .action(async (files: string[], options) => {
      const { previewCommand } = await import("../commands/preview.ts")
      await previewCommand(files, options, env)
    })

  program
    .command("test")
    .description("Run the tests that pipelines have: their stages on known input, into memory.")
    .argument("<file...>", "pipeline documents (YAML), or folders of them")
    .addOption(setOption())
    .option("--json", "print JSON")
    .action(async (files: string[], options) => {
      const { testCommand } = await import("../commands/test.ts")
      exit(await testCommand(files, options, env))
    })

  program
    .command("schema")
    .description("Print the JSON Schema of pipeline documents, for editors.")
    .action(async () => {
      const { schemaCommand } = await import("../commands/schema.ts")
      schemaCommand()
    })
}
