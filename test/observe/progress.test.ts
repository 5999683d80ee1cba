/** What a person sees of a run that goes on. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { Progress } from "../../src/model/events.ts"
import { escapeJson, escapeLines, escapeText } from "../../src/observe/escape.ts"
import { showProgress } from "../../src/observe/progress.ts"
import { NO_FLOW, NO_ITEMS } from "../fixtures/runs.ts"

const progressAt = (done: number, listed: number, complete: boolean): Progress => ({
  items: { ...NO_ITEMS, listed, done, pending: listed - done },
  listingComplete: complete,
  total: undefined,
  rowsCommitted: done * 10,
  bytes: done << 20,
  bytesPending: (listed - done) << 20,
  flow: NO_FLOW,
  stages: [],
})

const output = (isTTY: boolean, columns = 100) => {
  const written: string[] = []
  return { written, isTTY, columns, write: (text: string) => written.push(text) }
}

describe("progress", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("is a line that is redrawn on a terminal, at most ten times a second", () => {
    const terminal = output(true)
    let done = 0
    const view = showProgress(() => progressAt(done, 1000, true), terminal)
    for (; done < 250; done++) vi.advanceTimersByTime(10)
    expect(terminal.written).toHaveLength(25)
    expect(terminal.written.at(-1)).toBe(
      "\r\u001b[K[####----------------] 249/1,000 items, 2,490 rows, 100.0 MiB/s, ETA 0:08",
    )
    view.stop()
    expect(terminal.written.at(-1)).toBe("\r\u001b[K")
    vi.advanceTimersByTime(1000)
    expect(terminal.written).toHaveLength(26)
  })

  it("does not guess the end before everything is listed", () => {
    const terminal = output(true)
    let done = 0
    const view = showProgress(() => progressAt(done, 400, false), terminal)
    for (; done < 40; done++) vi.advanceTimersByTime(10)
    expect(terminal.written.at(-1)).toMatch(/\[K39\/400\+ items, 390 rows, .*MiB\/s$/)
    view.stop()
  })

  it("never wraps, and keeps other lines above it", () => {
    const terminal = output(true, 20)
    const view = showProgress(() => progressAt(5, 10, true), terminal)
    vi.advanceTimersByTime(100)
    view.line("failed: \u001b[31mred.png: no picture")
    expect(terminal.written.at(-1)).toBe("\r\u001b[Kfailed: \\x1b[31mred.png: no picture\n[##########--------")
    view.stop()
  })

  it("is a line every five seconds where there is no terminal, and none when nothing changes", () => {
    const file = output(false)
    let done = 0
    const view = showProgress(() => progressAt(done, 100, true), file)
    vi.advanceTimersByTime(4900)
    expect(file.written).toEqual([])
    done = 7
    vi.advanceTimersByTime(15_000)
    view.line("warning: nothing")
    view.stop()
    expect(file.written[0]).toMatch(/^7\/100 items, 70 rows/)
    expect(file.written.join("")).not.toContain("\r")
    expect(file.written.at(-1)).toBe("warning: nothing\n")
  })

  it("waits for a run that has not begun", () => {
    const terminal = output(true)
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
