/** Commands about the components of pipelines: which there are, and a new one. */
import { Argument, type Command } from "commander"
import { COMPONENT_KINDS } from "../../model/fields.ts"
import { collect, formatOption } from "../arguments.ts"

const ABOUT_PLUGINS = "a module with components: a file of TypeScript or JavaScript, or a package (repeatable)"

export const addComponentCommands = (program: Command): void => {
  program
    .command("list")
    .description("List what pipeline documents can name; or show what there is to know of one of them.")
    .addArgument(new Argument("[kind]").choices(COMPONENT_KINDS))
    .argument("[name]")
    .option("--plugin <module>", ABOUT_PLUGINS, collect)
    .addOption(formatOption())
    .action(async (kind: string | undefined, name: string | undefined, options) => {
      const { listCommand } = await import("../commands/list.ts")
      await listCommand(kind, name, options)
    })

  program
    .command("create")
    .description("Write a component that works, with its test, to begin with; or a pipeline document.")
    .addArgument(new Argument("<kind>").choices([...COMPONENT_KINDS, "pipeline"]))
    .argument("<name>", "such as rss_feed")
    .option("--dir <folder>", "where to", ".")
    .option("--source <type>", "of a pipeline: its source (default: files)")
    .option("--layout <type>", "of a pipeline: its format, in the place of a source")
    .option("--sink <type>", "of a pipeline: its sink", "lance")
    .option("--plugin <module>", `of a pipeline: ${ABOUT_PLUGINS}`, collect)
    .action(async (kind, name: string, options) => {
      const { createCommand } = await import("../commands/create.ts")
      await createCommand(kind, name, options)
    })
}
