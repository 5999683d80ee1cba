/** What a person sees of a run that goes on. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { Progress } from "../../src/model/events.ts"
import { escapeJson, escapeLines, escapeText } from "../../src/observe/escape.ts"
import { showProgress } from "../../src/observe/progress.ts"
import { NO_FLOW, NO_ITEMS, stageProgress } from "../fixtures/runs.ts"
import { openTerminal } from "../fixtures/terminal.ts"

const progressAt = (done: number, listed: number, given: Partial<Progress> = {}): Progress => ({
  items: { ...NO_ITEMS, listed, done, pending: listed - done },
  listingComplete: true,
  total: undefined,
  rowsCommitted: done * 10,
  bytes: done << 20,
  bytesPending: (listed - done) << 20,
  flow: NO_FLOW,
  stages: [
    stageProgress("list", { calls: 1 }),
    stageProgress("normalize", { calls: done + 4, inFlight: 2, held: 64, seconds: (done + 4) / 50 }),
    stageProgress("map", { name: "embed", rowsIn: done * 10 + 52, rowsOut: done * 10 + 20, held: 32, inFlight: 1 }),
    stageProgress("write", { rowsIn: done * 10 + 20, rowsOut: done * 10, held: 20 }),
  ],
  ...given,
})

/** Without the figures of stages. */
const headlines = (lines: readonly string[]): string[] => lines.filter((line) => !line.startsWith("  "))

describe("progress", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("is a line for all and one for each stage, drawn again in their place at most ten times a second", () => {
    const terminal = openTerminal(100)
    let done = 0
    const view = showProgress(() => progressAt(done, 1000), terminal)
    for (; done < 250; done++) vi.advanceTimersByTime(10)
    expect(terminal.written).toHaveLength(25)
    // A thousand milliseconds are a hundred items; each has a mebibyte.
    expect(terminal.lines()).toEqual([
      "[####----------------] 249/1,000 items, 2,490 rows, 100.0 MiB/s, ETA 0:08",
      "  list       1,000 items    0.0/s  complete",
      "  normalize    253 items    100/s  holds 64 items, 2 workers busy, 20 ms each",
      "  embed       2,510 rows  1,000/s  holds 32 rows, 1 call",
      "  write       2,490 rows  1,000/s  holds 20 rows",
    ])
    view.stop()
    expect(terminal.lines()).toEqual([""])
    vi.advanceTimersByTime(1000)
    expect(terminal.written).toHaveLength(26)
    // There are no colours, whether NO_COLOR is set or not.
    const [, ...commands] = terminal.written.join("").split("\u001b")
    expect(commands.every((rest) => /^\[(\d+A|J)/.test(rest))).toBe(true)
  })

  it("says what went wrong at a stage, whatever its name is, and leaves out what there is no room for", () => {
    const terminal = openTerminal(64)
    const name = "\u001b[31m埋め込み of everything that there is"
    const stage = stageProgress("map", { name, rowsOut: 1, calls: 3, failed: 1200, retries: 1, held: 1, seconds: 1 })
    const view = showProgress(() => progressAt(1, 3, { stages: [stage] }), terminal)
    vi.advanceTimersByTime(100)
    expect(terminal.lines()[1]).toBe("  \\x1b[31m埋め込み of   1 row    holds 1 row, 1,200 failed")
    terminal.columns = 50
    vi.advanceTimersByTime(100)
    expect(terminal.lines()[1]).toBe("  \\x1b[31m埋め込み of   1 row  0.0/s  holds 1 row")
    view.stop()
  })

  it("does not guess the end before everything is listed, nor from what was there already", () => {
    /** After 20 seconds; the count goes up ten times a second. */
    const seen = (progress: (count: number) => Progress): string => {
      const terminal = openTerminal(100)
      let count = 0
      const view = showProgress(() => progress(count), terminal)
      for (; count < 200; count++) vi.advanceTimersByTime(100)
      const [first = ""] = terminal.lines()
      view.stop()
      return first
    }
    const open = { listingComplete: false, bytesPending: 0 }
    expect(seen((count) => progressAt(count, 400, open))).toBe(
      "199/400+ items, 1,990 rows, 10.0 MiB/s, ETA unknown: still listing",
    )
    // The source knows that there are 10,000.
    expect(seen((count) => progressAt(count, 400, { ...open, total: 10_000 }))).toMatch(/ 199\/10,000 .*, ETA 16:21$/)
    // 900 were in the table: each of those that are left takes as long as one that was done.
    expect(
      seen((count) => {
        const { items, ...rest } = progressAt(count, 1000)
        return { ...rest, items: { ...items, listed: 10_000, unchanged: 9000 } }
      }),
    ).toMatch(/ 9,199\/10,000 .*, ETA 1:21$/)
    // Few items are left, but most of the bytes.
    expect(seen((count) => progressAt(count, 210, { bytesPending: 6000 * 2 ** 20 }))).toMatch(/, ETA 10:00$/)
    // Nothing comes of it any more.
    expect(seen(() => progressAt(10, 30))).toMatch(/, ETA unknown$/)
    expect(seen((count) => progressAt(count, count))).toBe(
      "[####################] 199/199 items, 1,990 rows, 10.0 MiB/s",
    )
  })

  it("keeps other lines above it, on windows of any size that change while it goes on", () => {
    const terminal = openTerminal(100, 200)
    let done = 0
    const view = showProgress(() => progressAt(done, 1000), terminal)
    const kept: string[] = []
    // The last one has no rows to show stages in, the one before too few columns.
    const sizes = [100, 70, 90, 55, 100, 12, 30, 80].map((columns) => [columns, 200]).concat([[80, 6]])
    for (const [columns = 0, rows = 0] of sizes) {
      for (let step = 0; step < 7; step++) {
        done++
        vi.advanceTimersByTime(100)
        const lines = terminal.lines()
        expect(lines.slice(0, kept.length)).toEqual(kept)
        expect(lines.length - kept.length).toBe(terminal.columns < 50 || terminal.rows < 7 ? 1 : 5)
        for (const line of lines.slice(kept.length)) expect(line.length).toBeLessThan(terminal.columns)
        if (step === 3) {
          view.line(`failed: \u001b[31mred-${done}.png: no picture, and a message that is longer than the window`)
          kept.push(`failed: \\x1b[31mred-${done}.png: no picture, and a message that is longer than the window`)
        }
      }
      terminal.columns = columns
      terminal.rows = rows
    }
    view.stop()
    expect(terminal.lines()).toEqual(kept)
  })

  it("says what matters most where there is little room", () => {
    const items = { ...NO_ITEMS, listed: 1000, done: 500, failed: 3, pending: 497 }
    const shown = [100, 70, 50, 36, 28, 12].map((columns) => {
      const terminal = openTerminal(columns)
      const view = showProgress(() => progressAt(500, 1000, { items, bytes: 0 }), terminal)
      vi.advanceTimersByTime(100)
      const [first] = headlines(terminal.lines())
      view.stop()
      return first
    })
    expect(shown).toEqual([
      "[##########----------] 503/1,000 items, 5,000 rows, 3 failed, ETA unknown",
      "503/1,000 items, 5,000 rows, 3 failed, ETA unknown",
      "503/1,000 items, 3 failed, ETA unknown",
      "503/1,000 items, 3 failed",
      "503/1,000 items, 3 failed",
      "503/1,000 i",
    ])
  })

  it("is a short line every five seconds where there is no terminal, and none when nothing changes", () => {
    const written: string[] = []
    let done = 0
    const view = showProgress(() => progressAt(done, 100), { write: (text: string) => written.push(text) })
    vi.advanceTimersByTime(4900)
    expect(written).toEqual([])
    done = 7
    vi.advanceTimersByTime(15_000)
    view.line("warning: nothing")
    view.stop()
    expect(written[0]).toMatch(/^7\/100 items, 70 rows, ETA unknown\n$/)
    expect(written.join("")).not.toContain("\r")
    expect(written.join("")).not.toContain("\u001b")
    expect(written.at(-1)).toBe("warning: nothing\n")
    expect(written.length).toBeLessThan(5)
  })

  it("waits for a run that has not begun", () => {
    const terminal = openTerminal(100)
    const view = showProgress(() => undefined, terminal)
    vi.advanceTimersByTime(500)
    view.stop()
    expect(terminal.written).toEqual([])
  })
})

describe("text from outside", () => {
  it("cannot act upon a terminal", () => {
    expect(escapeText("a\u001b]0;title\u0007b\u009bc\r\n\td")).toBe("a\\x1b]0;title\\x07b\\x9bc\\x0d\\n\\td")
    expect(escapeText("invoice\u202Efdp.exe")).toBe("invoice\\u202efdp.exe")
    expect(escapeText("naïve 中文 🎉 file.txt")).toBe("naïve 中文 🎉 file.txt")
    expect(escapeLines("a\nb\u001b")).toBe("a\nb\\x1b")
  })

  it("is the same in JSON after it is escaped", () => {
    const value = { name: "a\u009b\u202e\u001b\n\u007f", list: [1, "x"] }
    const json = escapeJson(JSON.stringify(value, null, 2))
    expect(json).not.toMatch(/[\u007f-\u009f\u202e]/)
    expect(JSON.parse(json)).toEqual(value)
  })
})
