/** `sluice diff T FROM [TO]` */
import { diffVersions, type ItemChange } from "../../dataset/versions/index.ts"
import { formatCount } from "../../observe/progress-text.ts"
import type { Format } from "../arguments.ts"
import { say } from "../console.ts"
import { printJson, printRows } from "../output.ts"

export const diffCommand = async (
  table: string,
  from: string,
  to: string | undefined,
  { uri, format, limit }: { readonly uri: string; readonly format: Format; readonly limit: number },
): Promise<void> => {
  const counts = { added: 0, changed: 0, removed: 0 }
  const items: ItemChange[] = []
  for await (const change of diffVersions(uri, table, from, to)) {
    counts[change.change]++
    if (items.length < limit) items.push(change)
  }
  if (format === "json") return printJson({ ...counts, items })
  const columns = format === "table" ? ["change", "item"] : ["change", "item", "before", "after"]
  if (items.length > 0 || format === "csv") {
    printRows(
      format,
      columns,
      items.map((item) => ({ ...item })),
    )
  }
  const all = counts.added + counts.changed + counts.removed
  const more = all > items.length ? `; the first ${formatCount(items.length)} are listed` : ""
  say(
    `items: ${formatCount(counts.added)} added, ${formatCount(counts.changed)} changed, ${formatCount(counts.removed)} removed${more}`,
  )
}
