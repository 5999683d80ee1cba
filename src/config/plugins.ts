/**
 * The modules that a document may take code from: those that its `plugins` lists, and no others. Loading one runs it, as
 * importing it in a program would.
 */
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { extname, isAbsolute, resolve } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { ConfigError, messageOf } from "../model/errors.ts"

export interface Plugin {
  /** As the document has it: `./embed.ts`, or the name of a package. */
  readonly name: string
  /** URL of the module; workers load it by this. */
  readonly url: string
  readonly exports: Readonly<Record<string, unknown>>
}

export interface PluginProblem {
  /** Position in the list. */
  readonly at: number
  readonly message: string
}

export interface LoadedPlugins {
  /** Those that could be loaded, in the order of the list. */
  readonly plugins: readonly Plugin[]
  readonly problems: readonly PluginProblem[]
}

const EXTENSIONS = [".ts", ".js", ".mts", ".mjs", ".cts", ".cjs"]

const fileUrl = (name: string, documentFile: string): string => {
  const path = resolve(documentFile, "..", name)
  if (!EXTENSIONS.includes(extname(path))) {
    throw new ConfigError(`expected a file of TypeScript or JavaScript (${EXTENSIONS.join(", ")}), found ${path}`)
  }
  if (!existsSync(path)) throw new ConfigError(`there is no such file: ${path}`)
  return pathToFileURL(path).href
}

const PACKAGE = /^(@[\w.~-]+\/)?[\w~-][\w.~-]*(\/[\w./~-]+)?$/

/** What `import` finds from the folder of the document. */
const packageUrl = (name: string, documentFile: string): string => {
  if (!PACKAGE.test(name)) {
    throw new ConfigError("expected a file such as ./embed.ts, relative to the document, or the name of a package")
  }
  try {
    // Without the conditions of `import`, packages that cannot be required would not be found.
    const options = { conditions: new Set(["node", "import"]) }
    return pathToFileURL(createRequire(resolve(documentFile)).resolve(name, options as object)).href
  } catch (error) {
    const hint = EXTENSIONS.includes(extname(name)) ? `; a file of that name is ./${name}` : ""
    const folder = resolve(documentFile, "..")
    throw new ConfigError(`there is no such package to be found from ${folder}${hint}`, { cause: error })
  }
}

/** `:3:7`, where a stack names the module; nothing where it does not. */
const lineIn = (url: string, error: unknown): string => {
  const stack = error instanceof Error ? (error.stack ?? "") : ""
  for (const place of [url, fileURLToPath(url)]) {
    const start = stack.indexOf(`${place}:`)
    const [line] = start < 0 ? [] : (/^:\d+(:\d+)?/.exec(stack.slice(start + place.length)) ?? [])
    if (line !== undefined) return line
  }
  return ""
}

const load = async (name: string, documentFile: string): Promise<Plugin> => {
  const isFile = name.startsWith("./") || name.startsWith("../") || isAbsolute(name)
  const url = isFile ? fileUrl(name, documentFile) : packageUrl(name, documentFile)
  try {
    return { name, url, exports: (await import(url)) as Readonly<Record<string, unknown>> }
  } catch (error) {
    const place = `${fileURLToPath(url)}${lineIn(url, error)}`
    throw new ConfigError(`cannot be loaded: ${place}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Loads the modules of a list, one after the other: files relative to the folder of the document, and packages that an
 * `import` in that folder would find.
 */
export const loadPlugins = async (list: readonly string[], documentFile: string): Promise<LoadedPlugins> => {
  const plugins: Plugin[] = []
  const problems: PluginProblem[] = []
  for (const [at, name] of list.entries()) {
    try {
      if (list.indexOf(name) !== at) throw new ConfigError("this plugin is listed twice")
      plugins.push(await load(name, documentFile))
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      problems.push({ at, message: error.message })
    }
  }
  return { plugins, problems }
}
