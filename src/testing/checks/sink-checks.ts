/** What a run relies on in a sink. */
import { type Batch, batchOf } from "../../model/batch.ts"
import { numberColumn, textColumn } from "../../model/column.ts"
import { TableError } from "../../model/errors.ts"
import { withHidden } from "../../model/rows.ts"
import type { Reader, RowFilter, Sink, Writer } from "../../model/sink.ts"
import { type Check, expected, inFolder, type PlainRow, rowsOf } from "./check.ts"
import { typedBatch, valuesOf } from "./every-type.ts"
import { same } from "./same.ts"
import { faultChecks } from "./sink-fault-checks.ts"

/** Two rows of an item, the second its last. */
const rowsOfItem = (item: string, commit: number, version = "1"): Batch =>
  withHidden(
    batchOf({ n: numberColumn(new Int32Array([1, 2]), { name: "INT32" }), text: textColumn([`${item} 1`, null]) }),
    [{ item, version, firstRow: 0, rows: 2, end: true, medium: "text" }],
    commit,
  )

const read = async (reader: Reader, columns: readonly string[], filter?: RowFilter): Promise<PlainRow[]> => {
  const rows: PlainRow[] = []
  for await (const batch of reader.read(columns, filter)) rows.push(...rowsOf(batch, columns))
  return rows
}

const itemsIn = async (reader: Reader, filter?: RowFilter): Promise<unknown[]> => {
  const rows = await read(reader, ["_item", "_row"], filter)
  return rows.map(({ _item, _row }) => `${_item}/${_row}`)
}

const both = (...items: readonly string[]): string[] => items.flatMap((item) => [`${item}/0`, `${item}/1`])

const writing = async <T>(sink: Sink, use: (writer: Writer) => Promise<T>): Promise<T> => {
  const writer = await sink.open({ create: "if-missing" })
  try {
    return await use(writer)
  } finally {
    await writer.close()
  }
}

const commit = (sink: Sink, ...batches: readonly Batch[]): Promise<number> =>
  writing(sink, async (writer) => {
    for (const batch of batches) await writer.write(batch)
    return writer.commit()
  })

const viewing = async <T>(sink: Sink, use: (reader: Reader) => Promise<T>): Promise<T> => {
  const reader = await sink.view()
  try {
    return await use(reader)
  } finally {
    await reader.close()
  }
}

const refused = async (what: string, opening: Promise<Writer>): Promise<void> => {
  const found = await opening.then(
    async (writer) => {
      await writer.close()
      return "a writer"
    },
    (error: unknown) => error,
  )
  expected(found instanceof TableError, `${what}: expected a TableError, found ${found}`)
}

/** The filters that a run uses, with the rows that they find. */
const FILTERS: readonly (readonly [RowFilter, readonly string[]])[] = [
  [{ end: true }, ["a/1", "b/1", "c/1"]],
  [{ commit: 2 }, both("b")],
  [{ after: 1 }, both("b", "c")],
  [{ before: 3 }, both("a", "b")],
  [{ items: [{ item: "a" }, { item: "c", version: "1" }] }, both("a", "c")],
  [{ items: [{ item: "b", version: "2" }] }, []],
  [{ items: [] }, []],
  [
    {
      except: [
        { item: "b", version: "1" },
        { item: "a", version: "2" },
      ],
    },
    both("a", "c"),
  ],
  [{ after: 1, items: [{ item: "a" }, { item: "b" }], end: true }, ["b/1"]],
]

const CHECKS: readonly (readonly [name: string, check: (sink: Sink) => Promise<void>])[] = [
  [
    "has an empty table where there is none, and makes none by looking",
    async (sink) => {
      const look = (reader: Reader) => [reader.schema.size, reader.version]
      same("columns and version", await viewing(sink, async (reader) => look(reader)), [0, 0])
      const writer = await sink.open({ create: "new" })
      same("edge", await writer.edge("last"), 0)
      await writer.close()
      same("columns and version", await viewing(sink, async (reader) => look(reader)), [0, 0])
    },
  ],
  [
    "shows rows after their commit, in their order, and none before it",
    (sink) =>
      writing(sink, async (writer) => {
        await writer.write(rowsOfItem("b", 1))
        same("rows before the commit", await viewing(sink, (reader) => itemsOr(reader)), [])
        const first = await writer.commit()
        await writer.write(rowsOfItem("a", 2))
        await writer.write(rowsOfItem("c", 2))
        const second = await writer.commit()
        expected(second > first, `expected versions that count up, found ${first} and then ${second}`)
        same("version", writer.version, second)
        same("rows", await itemsIn(writer), both("b", "a", "c"))
        same("edges", [await writer.edge("first"), await writer.edge("last")], [1, 2])
        same("values", await read(writer, ["text", "n"], { commit: 1 }), [
          { text: "b 1", n: 1 },
          { text: null, n: 2 },
        ])
      }),
  ],
  [
    "has them when it is opened again, without those that were not committed",
    async (sink) => {
      const version = await commit(sink, rowsOfItem("a", 1))
      await writing(sink, (writer) => writer.write(rowsOfItem("lost", 2)))
      await viewing(sink, async (reader) => {
        same("version", reader.version, version)
        same("rows", await itemsIn(reader), both("a"))
      })
      await commit(sink, rowsOfItem("b", 2))
      same("rows", await viewing(sink, (reader) => itemsIn(reader)), both("a", "b"))
    },
  ],
  [
    "keeps every type, value and null as it is",
    async (sink) => {
      await commit(
        sink,
        withHidden(typedBatch(), [{ item: "a", version: "1", firstRow: 0, rows: 3, end: true, medium: "" }], 1),
      )
      await viewing(sink, async (reader) => {
        for (const [name, { type }] of typedBatch().columns) {
          same(`type of ${name}`, reader.schema.get(name)?.name, type.name)
          same(`values of ${name}`, valuesOf(await read(reader, [name])), valuesOf(rowsOf(typedBatch(), [name])))
        }
      })
    },
  ],
  [
    "adds columns that come later, null in the rows before",
    async (sink) => {
      await commit(sink, rowsOfItem("a", 1))
      const { rows, columns } = rowsOfItem("b", 2)
      await commit(sink, { rows, columns: new Map([...columns, ["late", textColumn(["x", "y"])]]) })
      same(
        "values",
        await viewing(sink, (reader) => read(reader, ["late"])),
        [null, null, "x", "y"].map((late) => ({ late })),
      )
    },
  ],
  [
    "finds rows by each filter, and removes them by it",
    async (sink) => {
      await commit(sink, rowsOfItem("a", 1))
      await commit(sink, rowsOfItem("b", 2))
      await commit(sink, rowsOfItem("c", 3))
      await viewing(sink, async (reader) => {
        for (const [filter, found] of FILTERS) same(JSON.stringify(filter), await itemsIn(reader, filter), found)
      })
      await writing(sink, (writer) => writer.remove({ items: [{ item: "b" }] }))
      same("rows", await viewing(sink, (reader) => itemsIn(reader)), both("a", "c"))
    },
  ],
  [
    "has only the new rows after overwrite",
    async (sink) => {
      await commit(sink, rowsOfItem("a", 1))
      await writing(sink, async (writer) => {
        await writer.write(rowsOfItem("b", 2))
        await writer.overwrite()
      })
      same("rows", await viewing(sink, (reader) => itemsIn(reader)), both("b"))
    },
  ],
  [
    "keeps side tables beside the table",
    async (sink) => {
      await writing(sink, async (writer) => {
        const side = await writer.side("items")
        await side.write(rowsOfItem("noted", 1))
        await side.commit()
        await side.close()
        same("rows of the table", await itemsOr(writer), [])
      })
      await commit(sink, rowsOfItem("a", 1))
      await viewing(sink, async (reader) => {
        same("side tables", await reader.sides(), ["items"])
        same("rows of the side table", await itemsIn(await reader.side("items")), both("noted"))
        same("rows of the table", await itemsIn(reader), both("a"))
      })
    },
  ],
  [
    "lets one writer in at a time, and makes no table anew that is there",
    async (sink) => {
      await writing(sink, async (writer) => {
        await refused("a second writer", sink.open({ create: "if-missing" }))
        await writer.write(rowsOfItem("a", 1))
        await writer.commit()
      })
      await refused('create: "new" of a table that is there', sink.open({ create: "new" }))
      await commit(sink, rowsOfItem("b", 2))
    },
  ],
]

/** A table that is not there has no columns to ask for. */
const itemsOr = async (reader: Reader): Promise<unknown[]> => (reader.schema.size === 0 ? [] : itemsIn(reader))

/**
 * Checks of a sink.
 *
 * @param make makes it, with its table in an empty folder; called again for the same folder, it finds the table there.
 * @example
 * ```ts
 * import { test } from "node:test"
 * import { lance } from "sluice"
 * import { sinkChecks } from "sluice/testing"
 *
 * for (const { name, run } of sinkChecks((folder) => lance({ uri: folder, table: "t" }))) test(name, run)
 * ```
 */
export const sinkChecks = (make: (folder: string) => Sink): readonly Check[] => [
  ...CHECKS.map(([name, check]) => ({ name, run: () => inFolder((folder) => check(make(folder))) })),
  ...faultChecks(make),
]
