/** What a run relies on in a format. */
import type { Feed } from "../../model/feed.ts"
import { type Format, isItemFormat } from "../../model/format.ts"
import { formatPlan } from "../../pipeline.ts"
import { memory } from "../../sinks/memory.ts"
import { type Check, expected } from "./check.ts"
import { feedChecks } from "./feed-checks.ts"
import { same } from "./same.ts"
import { sourceChecks } from "./source-checks.ts"

const shapeOf = async (format: Format): Promise<readonly (readonly [rows: number, names: readonly string[]])[]> => {
  const shapes: (readonly [number, readonly string[]])[] = []
  for await (const columns of format.normalize()) {
    const lengths = new Set(Object.values(columns).map(({ length }) => length))
    expected(lengths.size === 1, `batch ${shapes.length}: expected columns of one length, found ${[...lengths]}`)
    shapes.push([[...lengths][0] ?? 0, Object.keys(columns)])
  }
  return shapes
}

const feedOf = (format: Format): Feed => formatPlan({ name: "checks", format, sink: memory({ table: "checked" }) }).feed

/**
 * Checks of a format. Give them a small dataset.
 *
 * @param make makes it anew, as another process would.
 * @example
 * ```ts
 * import { test } from "node:test"
 * import { ImageFolder } from "sluice"
 * import { formatChecks } from "sluice/testing"
 *
 * for (const { name, run } of formatChecks(() => new ImageFolder({ dir: "./flowers" }))) test(name, run)
 * ```
 */
export const formatChecks = (make: () => Format): readonly Check[] => {
  const format = make()
  const isRepeatable = isItemFormat(format) || format.name !== undefined
  return [
    {
      name: "yields batches of columns that have one length and always the same names",
      run: async () => {
        const shapes = await shapeOf(make())
        expected(shapes.length > 0, "expected a batch at least, found none: give the checks a dataset with rows")
        for (const [index, [, names]] of shapes.entries()) same(`columns of batch ${index}`, names, shapes[0]?.[1])
      },
    },
    {
      name: "yields the same batches every time",
      run: async () => same("batches of a second reading", await shapeOf(make()), await shapeOf(make())),
    },
    ...(isItemFormat(format)
      ? sourceChecks(() => feedOf(make()))
      : isRepeatable
        ? feedChecks(() => feedOf(make()))
        : []),
  ]
}
