/** The guide to watching runs names every event with its fields, and every metric with its type. */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { openServer } from "../../src/cli/serve/server.ts"
import type { RunEvent } from "../../src/model/events.ts"
import { openLog } from "../../src/observe/log.ts"

const PAGE = readFileSync(new URL("../../docs/guide/observe.md", import.meta.url), "utf8")

/** The rows of the table whose header begins with the word. */
const table = (first: string): string[][] => {
  const lines = PAGE.split("\n")
  const start = lines.findIndex((line) => line.startsWith(`| ${first} |`))
  const rows = lines.slice(start + 2)
  return rows.slice(0, rows.indexOf("")).map((line) =>
    line
      .split("|")
      .map((cell) => cell.trim())
      .slice(1, -1),
  )
}

const named = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name)

/** The compiler sees to it that none is missing, and that there is none that is not there. */
type Fields = { [T in RunEvent["type"]]: Record<Exclude<keyof Extract<RunEvent, { type: T }>, "type">, true> }

const EVENTS: Fields = {
  started: { run: true, resumedItems: true },
  listed: { items: true, seconds: true },
  call: {
    stage: true,
    name: true,
    item: true,
    items: true,
    rows: true,
    attempt: true,
    begun: true,
    seconds: true,
    error: true,
  },
  committed: { version: true, rows: true, occasion: true, seconds: true, progress: true },
  settled: { item: true, status: true, stage: true, message: true },
  warning: { message: true },
  stopping: { reason: true },
  finished: { summary: true },
}

describe("the guide", () => {
  it("lists all events of a run, each with its fields", () => {
    const listed = table("event").map(([event, fields]) => [...named(event), named(fields)])
    expect(listed).toEqual(Object.entries(EVENTS).map(([event, fields]) => [event, Object.keys(fields)]))
  })

  it("lists all metrics of a server, each with its type", async () => {
    const answer = await openServer(
      openLog("text", () => {}),
      1,
    ).routes.get("/metrics")?.(new URLSearchParams())
    const types = [...(answer?.body ?? "").matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type])
    expect(types.length).toBeGreaterThan(20)
    expect(
      table("metric")
        .map(([metric, type]) => [...named(metric), type])
        .sort(),
    ).toEqual(types.sort())
  })
})
