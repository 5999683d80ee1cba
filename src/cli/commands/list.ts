/** `sluice list [KIND] [NAME]` */
import { entriesOf, pageOf } from "../../config/reference.ts"
import { ConfigError } from "../../model/errors.ts"
import { suggest } from "../../model/suggest.ts"
import type { Format } from "../arguments.ts"
import { componentsOf } from "../components.ts"
import { print } from "../console.ts"
import { printJson, printRows } from "../output.ts"

interface ListOptions {
  readonly plugin?: readonly string[]
  readonly format: Format
}

/** The components that documents can name; or all that there is to know of one. */
export const listCommand = async (
  kind: string | undefined,
  name: string | undefined,
  options: ListOptions,
): Promise<void> => {
  const entries = entriesOf(await componentsOf(options.plugin ?? [])).filter((entry) => !kind || entry.kind === kind)
  if (name === undefined) {
    const rows = entries.map(({ kind, type, description }) => ({ kind, type, description }))
    printRows(options.format, ["kind", "type", "description"], rows)
    return
  }
  const entry = entries.find(({ type }) => type === name)
  if (!entry) {
    const known = entries.map(({ type }) => type)
    throw new ConfigError(`expected a ${kind}, found ${JSON.stringify(name)}${suggest(name, known)}`)
  }
  if (options.format === "json") printJson(entry)
  else print(pageOf(entry))
}
