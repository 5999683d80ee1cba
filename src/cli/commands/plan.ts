/** `sluice plan FILE...` */
import { type Forecast, forecast, PROSPECTS } from "../../engine/forecast.ts"
import { formatBytes } from "../../model/units.ts"
import { escapeText } from "../../observe/escape.ts"
import { print, say } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { formatTable, printJson } from "../output.ts"

const rowsOf = ({ shares }: Forecast) =>
  PROSPECTS.filter((prospect) => shares[prospect].items > 0).map((prospect) => {
    const { items, bytes, examples } = shares[prospect]
    const more = items > examples.length ? ", ..." : ""
    return {
      "": prospect,
      items,
      size: prospect === "vanished" ? "" : formatBytes(bytes),
      such: examples.join(", ") + more,
    }
  })

/** What runs would do, document by document; nothing is written. */
export const planCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[]; readonly json?: boolean },
  env: Environment,
): Promise<void> => {
  for (const { plan } of await loadAll(files, options.set ?? [], env)) {
    const found = await forecast(plan)
    if (options.json) {
      printJson({ pipeline: plan.name, table: plan.sink.table, uri: plan.sink.uri, mode: plan.mode, ...found })
      continue
    }
    const rows = rowsOf(found)
    print(escapeText(`${plan.name}: into ${plan.sink.table} in ${plan.sink.uri}, mode ${plan.mode}`))
    print(rows.length === 0 ? "the source has no items" : formatTable(["", "items", "size", "such"], rows))
    for (const warning of [...found.warnings, ...(found.kept === undefined ? [] : [found.kept])]) {
      say(`warning: ${escapeText(warning)}`)
    }
  }
}
