/** Traces of runs, sent to a stand-in of a collector that reads them strictly. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it, vi } from "vitest"
import { runCommand } from "../../src/cli/commands/run.ts"
import { openTraces } from "../../src/cli/tracing.ts"
import { traceRun } from "../../src/observe/run-trace.ts"
import { closedUrl, startCollector } from "../fixtures/collector.ts"
import { lengths, observed } from "../fixtures/observed.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

vi.setConfig({ testTimeout: 60_000 })

const ABOUT = { pipeline: "test", table: "t" }
const tell = (problem: string): never => {
  throw new Error(problem)
}

describe("a traced run", () => {
  for (const protocol of ["http/protobuf", "http/json"]) {
    it(`is a span with children for its listing, its commits and calls that failed: ${protocol}`, async () => {
      const collector = await startCollector()
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/collect/`,
        OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
        OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20secret,x-other=1",
        OTEL_EXPORTER_OTLP_COMPRESSION: protocol === "http/json" ? "gzip" : "none",
        OTEL_SERVICE_NAME: "ingest",
        OTEL_RESOURCE_ATTRIBUTES: "service.name=other,deployment.environment=a%2Cb",
      }
      const tracing = await openTraces(env, tell)
      const trace = traceRun(tracing, ABOUT)
      let tries = 0
      const stages = [
        lengths((batch) => {
          if (tries++ === 0) throw new Error("503: “later”")
          return { length: batch.column("text").map(() => 7) }
        }),
      ]
      const begun = Date.now()
      const { summary } = await observed([{ rows: 5 }, { rows: 1, end: "throw" }], stages, trace?.event)
      await tracing?.close()

      expect(collector.problems).toEqual([])
      const [request] = collector.requests
      expect(request).toMatchObject({ path: "/collect/v1/traces", headers: { "x-key": "a secret", "x-other": "1" } })
      const spans = collector.spans.toSorted((a, b) => a.begun - b.begun)
      const root = spans.find(({ parent }) => parent === undefined)
      expect(root).toMatchObject({
        name: "run test",
        scope: "sluice",
        resource: { "service.name": "ingest", "deployment.environment": "a,b" },
        attributes: {
          "sluice.pipeline": "test",
          "sluice.table": "t",
          "sluice.run": summary.run,
          "sluice.ending": "complete",
          "sluice.rows": 5,
          "sluice.items.listed": 2,
          "sluice.items.failed": 1,
        },
        error: undefined,
      })
      expect(root?.events).toEqual([
        {
          name: "item failed",
          attributes: {
            "sluice.item": "item-1",
            "sluice.stage": "normalize",
            "sluice.message": "item-1 is broken after 1 rows",
          },
        },
      ])
      const children = new Map(spans.filter((span) => span !== root).map((span) => [span.name, span]))
      // A machine that stands still makes slow calls, too.
      expect([...children.keys()]).toEqual(expect.arrayContaining(["list", "commit", "map length"]))
      expect(children.get("map length")).toMatchObject({
        attributes: { "sluice.stage": "map", "sluice.item": "item-0", "sluice.attempt": 1 },
        error: "503: “later”",
      })
      expect(children.get("commit")?.attributes).toMatchObject({ "sluice.reason": "end", "sluice.version": 1 })
      for (const span of children.values()) {
        expect([span.parent, span.traceId]).toEqual([root?.spanId, root?.traceId])
        expect(span.begun).toBeGreaterThanOrEqual(begun - 1)
        expect(span.ended).toBeLessThanOrEqual((root?.ended ?? 0) + 1)
      }
    })
  }

  it("makes a bounded number of spans, and does not leave out the slowest", async () => {
    const collector = await startCollector()
    const tracing = await openTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/own` }, tell)
    const trace = traceRun(tracing, ABOUT)
    const call = {
      type: "call",
      stage: "map",
      name: "m",
      item: "i",
      items: 1,
      rows: 1,
      attempt: 1,
      error: null,
    } as const
    for (let i = 0; i < 10_000; i++) {
      trace?.event({ type: "settled", item: `i${i}`, status: "failed", stage: "map", message: "no" })
      trace?.event({ ...call, begun: Date.now(), seconds: i === 9000 ? 20 : 1 + (i % 7) })
    }
    trace?.failed(new Error("the disk is full"))
    await tracing?.close()
    expect(collector.problems).toEqual([])
    expect(collector.requests.every(({ path }) => path === "/own")).toBe(true)
    const calls = collector.spans.filter(({ name }) => name === "map m")
    expect(calls.length).toBeLessThan(300)
    expect(Math.max(...calls.map(({ begun, ended }) => ended - begun))).toBeCloseTo(20_000, 0)
    const [root] = collector.spans.filter(({ parent }) => parent === undefined)
    expect(root?.error).toBe("the disk is full")
    // And how it failed is one more.
    expect(root?.events.length).toBe(129)
    expect(root?.attributes["sluice.left_out"]).toBe(20_000 - 128 - calls.length)
  })

  it("does not wait for a collector that is down, refuses or says nothing, and says so once, without secrets", async () => {
    const down = await closedUrl()
    const refuses = (await startCollector(() => 403)).url
    const silent = (await startCollector(() => undefined)).url
    const told: string[] = []
    const begun = performance.now()
    await Promise.all(
      [down, refuses, silent].map(async (url) => {
        const env = { OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/x?key=secret`, OTEL_EXPORTER_OTLP_HEADERS: "key=secret" }
        const tracing = await openTraces({ ...env, OTEL_EXPORTER_OTLP_TIMEOUT: "300" }, (problem) => told.push(problem))
        for (let run = 0; run < 3; run++) {
          const trace = traceRun(tracing, ABOUT)
          for (let i = 0; i < 600; i++) trace?.event({ type: "listed", items: 1, seconds: 0 })
          trace?.failed(new Error("no"))
        }
        await tracing?.close()
      }),
    )
    expect(performance.now() - begun).toBeLessThan(10_000)
    const about = (url: string): string => `traces cannot be sent to ${url}/x/v1/traces:`
    expect(told).toHaveLength(3)
    expect(told.find((one) => one.startsWith(about(down)))).toContain("ECONNREFUSED")
    expect(told.find((one) => one.startsWith(about(refuses)))).toContain("403 Forbidden")
    expect(told.find((one) => one.startsWith(about(silent)))).toContain("no answer within 0.3 s")
    expect(told.join()).not.toContain("secret")
  })

  it("is one of those that are asked for", async () => {
    const url = "http://127.0.0.1:9"
    const open = async (env: Record<string, string>) => {
      const told: string[] = []
      const tracing = await openTraces(env, (problem) => told.push(problem))
      await tracing?.close()
      return tracing ? "traced" : (told[0] ?? "not traced")
    }
    const traced = async (sampler: string, arg: string): Promise<number> => {
      const env = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: arg }
      const tracing = await openTraces(env, tell)
      const found = Array.from({ length: 1000 }, () => tracing?.trace("run", Date.now(), {})).filter(Boolean).length
      await tracing?.close()
      return found
    }
    expect(await open({})).toBe("not traced")
    expect(await open({ OTEL_SERVICE_NAME: "x", OTEL_TRACES_EXPORTER: "otlp" })).toBe("not traced")
    const some = { OTEL_EXPORTER_OTLP_ENDPOINT: url }
    expect(await open(some)).toBe("traced")
    for (const off of [
      { OTEL_SDK_DISABLED: "TRUE" },
      { OTEL_TRACES_EXPORTER: "none" },
      { OTEL_TRACES_SAMPLER: "always_off" },
      { OTEL_TRACES_SAMPLER: "parentbased_always_off" },
    ]) {
      expect(await open({ ...some, ...off })).toBe("not traced")
    }
    expect(await traced("traceidratio", "0.5")).toBeGreaterThan(350)
    expect(await traced("parentbased_traceidratio", "0.5")).toBeLessThan(650)
    for (const [wrong, message] of [
      [{ OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" }, 'PROTOCOL: expected http/protobuf or http/json, found "grpc"'],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "localhost:4318" }, "ENDPOINT: expected an address such as"],
      [{ OTEL_EXPORTER_OTLP_ENDPOINT: "http://me:secret@x" }, "ENDPOINT: expected an address without a password"],
      [{ OTEL_EXPORTER_OTLP_HEADERS: "secret" }, "HEADERS: expected key=value"],
      [{ OTEL_TRACES_SAMPLER: "traceidratio", OTEL_TRACES_SAMPLER_ARG: "2" }, "ARG: expected a number from 0 to 1"],
      [{ OTEL_TRACES_EXPORTER: "zipkin" }, 'EXPORTER: expected otlp or none, found "zipkin"'],
      [{ OTEL_EXPORTER_OTLP_TIMEOUT: "10s" }, "TIMEOUT: expected milliseconds"],
    ] as const) {
      const said = await open({ ...some, ...wrong })
      expect(said).toMatch(/^nothing is traced: OTEL_/)
      expect(said).toContain(message)
      expect(said).not.toContain("secret")
    }
  })
})

describe("the command line", () => {
  it("sends traces, and tells everything in lines of JSON where it is asked to", async () => {
    const collector = await startCollector()
    const cwd = await tempFolder()
    await mkdir(join(cwd, "docs"))
    await writeFile(join(cwd, "docs/a.txt"), "A text.\n")
    await writeFile(join(cwd, "docs/b.png"), "no picture")
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_EXPORTER_OTLP_PROTOCOL: "http/json" }
    const args = ["ingest", "docs", "--table", "docs", "--threads", "1", "--log-format", "json"]
    const { code, stdout, stderr } = await sluice(args, { cwd, env })
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    const lines = stderr
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      "info run started",
      expect.stringMatching(/^warn failed: b\.png: /),
      "info run ended: complete",
    ])
    expect(lines.at(-1)).toMatchObject({ pipeline: "docs", table: "docs", rows: 1, listed: 2, done: 1, failed: 1 })
    expect(collector.problems).toEqual([])
    expect(collector.spans.map(({ name }) => name)).toEqual(expect.arrayContaining(["run docs", "list", "commit"]))
    const run = collector.spans.find(({ name }) => name === "run docs")
    expect(run?.attributes["sluice.run"]).toBe(lines[0]?.run)
    expect(run?.resource).toMatchObject({ "service.name": "sluice" })
  })

  it("says in such a line what stops a command before its run, too", async () => {
    const written: string[] = []
    vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0)
    try {
      expect(await runCommand(["nowhere.yaml"], { logFormat: "json" }, {})).toBe(2)
    } finally {
      vi.restoreAllMocks()
    }
    expect(written.map((line) => JSON.parse(line))).toMatchObject([
      { level: "error", message: expect.stringContaining("nowhere.yaml") },
    ])
  })
})
