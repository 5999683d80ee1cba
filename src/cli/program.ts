/** Commands and their options. What a command does is loaded when it runs, so that help is there at once. */
import { Command } from "commander"
import { escapeLines } from "../observe/escape.ts"
import type { Environment } from "./environment.ts"
import { VERSION } from "./package.ts"
import { addComponentCommands } from "./program/components.ts"
import { addDocumentCommands } from "./program/documents.ts"
import { addRunCommands } from "./program/runs.ts"
import { addTableCommands } from "./program/tables.ts"
import { addUpkeepCommands } from "./program/upkeep.ts"
import { addVersionCommands } from "./program/versions.ts"

const EPILOGUE = `
Exit codes: 0 done, 1 failed, 2 bad configuration, 3 too many items failed,
130 or 143 interrupted after what was in flight was committed.`

/** `exit` is told the exit code of a command that ended without an error, but not with 0. */
export const createProgram = (env: Environment, exit: (code: number) => void): Command => {
  const program = new Command("sluice")
    .description("Streams files into a versioned, searchable dataset.")
    .version(VERSION, "-V, --version")
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(escapeLines(text)) })
    .addHelpText("after", EPILOGUE)
    .hook("preAction", async () => {
      const { keepTogether } = await import("./temp.ts")
      await keepTogether()
    })
  addRunCommands(program, env, exit)
  addDocumentCommands(program, env, exit)
  addComponentCommands(program)
  addTableCommands(program, env)
  addVersionCommands(program, env)
  addUpkeepCommands(program, env, exit)
  return program
}
