/** The commands that the documentation shows are commands that there are, with options that they have. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { createProgram } from "../src/cli/program.ts"

const ROOT = new URL("../", import.meta.url)
const guide = readdirSync(new URL("docs/guide/", ROOT)).filter((name) => name.endsWith(".md"))
const pages = ["README.md", "CONTRIBUTING.md", ...guide.map((name) => `docs/guide/${name}`)]

/** `sluice ...` and `npm ...`, as they stand in blocks for a shell. */
const commandsOf = (page: string): string[] =>
  [...readFileSync(new URL(page, ROOT), "utf8").matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block
      .split("\n")
      .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(/[;|]|&&/))
      .map((command) => command.trim()),
  )

/** Words, and texts in quotes. */
const wordsOf = (command: string): string[] =>
  [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? "")

const problemOf = (words: readonly string[]): string | undefined => {
  const [name = "", ...args] = words
  const command = createProgram({}, () => {}).commands.find((one) => one.name() === name)
  if (!command) return `no command ${name}`
  command.exitOverride().configureOutput({ writeErr: () => {}, outputError: () => {} })
  command.action(() => {})
  // What is done before any command is for those that run.
  command.parent = null
  try {
    command.parse(args, { from: "user" })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

it.each(pages)("%s", (page) => {
  const { scripts } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as { readonly scripts: object }
  for (const command of commandsOf(page)) {
    const [, sluice] = /^(?:npx sluice|npm run -?-?s?\s*sluice --|sluice) (.*)$/.exec(command) ?? []
    if (sluice !== undefined && !sluice.startsWith("--"))
      expect(problemOf(wordsOf(sluice)), `${page}: ${command}`).toBeUndefined()
    const [, script] = /^npm (?:run (?:-s )?)?([\w:]+)/.exec(command) ?? []
    if (script && !["install", "i", "ci", "init"].includes(script)) {
      expect(Object.keys(scripts), `${page}: ${command}`).toContain(script)
    }
    const [, file] = /^bash (\S+)/.exec(command) ?? []
    if (file) expect(existsSync(new URL(file, ROOT)), `${page}: ${command}`).toBe(true)
  }
})
