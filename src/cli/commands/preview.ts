/** `sluice preview FILE...` */
import { formatType } from "../../model/types.ts"
import { escapeText } from "../../observe/escape.ts"
import { preview } from "../../preview.ts"
import type { Format } from "../arguments.ts"
import { print, say } from "../console.ts"
import { loadAll } from "../documents.ts"
import type { Environment } from "../environment.ts"
import { formatTable, printJson, printRows } from "../output.ts"

/** The first rows of each pipeline and their types; nothing is written. */
export const previewCommand = async (
  files: readonly string[],
  options: { readonly set?: readonly string[]; readonly limit: number; readonly format: Format },
  env: Environment,
): Promise<void> => {
  for (const { plan } of await loadAll(files, options.set ?? [], env)) {
    const { schema, rows, failed } = await preview(plan, { limit: options.limit })
    const columns = [...schema].map(([name, type]) => ({ column: name, type: formatType(type) }))
    for (const { item, message } of failed) say(`failed: ${item}: ${message}`)
    if (options.format === "json") {
      // Bytes would be a list of numbers.
      const plain = rows.map((row) =>
        Object.fromEntries(
          Object.entries(row).map(([name, value]) => [
            name,
            value instanceof Uint8Array ? `${value.length} bytes` : value instanceof Float32Array ? [...value] : value,
          ]),
        ),
      )
      printJson({ pipeline: plan.name, columns, rows: plain, failed })
      continue
    }
    if (options.format === "table") {
      print(escapeText(`${plan.name}: the first ${rows.length} rows; nothing is written`))
      print(formatTable(["column", "type"], columns))
      print("")
    }
    printRows(options.format, [...schema.keys()], rows)
  }
}
