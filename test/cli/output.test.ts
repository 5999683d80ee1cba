import { expect, it } from "vitest"
import { formatTable } from "../../src/cli/output.ts"

const rows = [
  { item: "reports/2026/the-first-one.pdf", status: "failed", tries: 12 },
  { item: "a.txt", status: "partial", tries: 3 },
]
const columns = ["item", "status", "tries"]

it("a table is as wide as it needs, where there is room", () => {
  expect(formatTable(columns, rows, 80)).toBe(
    [
      "item                            status   tries",
      "------------------------------  -------  -----",
      "reports/2026/the-first-one.pdf  failed      12",
      "a.txt                           partial      3",
    ].join("\n"),
  )
})

it("a table on a narrow terminal is cut where values are longest, and turned on its side where that is not enough", () => {
  const narrow = formatTable(columns, rows, 30)
  expect(narrow).toBe(
    [
      "item            status   tries",
      "--------------  -------  -----",
      "reports/2026/…  failed      12",
      "a.txt           partial      3",
    ].join("\n"),
  )
  expect(formatTable(columns, rows, 18)).toBe(
    ["item    reports/2…", "status  failed", "tries   12", "", "item    a.txt", "status  partial", "tries   3"].join(
      "\n",
    ),
  )
  for (let room = 12; room < 60; room++) {
    for (const line of formatTable(columns, rows, room).split("\n")) expect(line.length).toBeLessThanOrEqual(room)
  }
})

it("a column is as wide as its texts are on a terminal", () => {
  const tasks = [
    { task: "引き出しを開ける", n: 1 },
    { task: "Öffne es", n: 2 },
  ]
  expect(formatTable(["task", "n"], tasks, 80).split("\n")).toEqual([
    "task              n",
    "----------------  -",
    "引き出しを開ける  1",
    "Öffne es          2",
  ])
  expect(formatTable(["task", "n"], tasks, 15).split("\n")[2]).toBe("引き出しを…   1")
})
