/** What a server says of a run that goes on, and where it sends what it was. */
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, it, vi } from "vitest"
import { openServer } from "../../src/cli/serve/server.ts"
import { openTraces } from "../../src/cli/tracing.ts"
import { openLog } from "../../src/observe/log.ts"
import { startCollector } from "../fixtures/collector.ts"
import { lengths } from "../fixtures/observed.ts"
import { parsePipeline } from "../fixtures/pipeline.ts"
import { parsePrometheus } from "../fixtures/prometheus.ts"
import { until } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

vi.setConfig({ testTimeout: 60_000 })

it("a run that goes on is among the runs with its counts of now, and becomes a trace", async () => {
  const dir = await tempFolder()
  await mkdir(join(dir, "docs"))
  for (const name of ["a", "b", "c"]) await writeFile(join(dir, `docs/${name}.txt`), `The ${name}.\n`)
  const loaded = await parsePipeline(
    `version: 1\nname: notes\nsource: { type: files, include: ${dir}/docs }\nsink: { type: lance, uri: ${dir}/data, table: notes }\nschedule: { cron: "* * * * * *" }\n`,
    "notes.yaml",
    {},
  )
  let called = 0
  let answer = (): void => {}
  const answered = new Promise<void>((resolve) => (answer = resolve))
  const stage = lengths(async (batch) => {
    called++
    await answered
    return { length: batch.items.map(() => 1) }
  })(() => undefined)
  const { schedule } = loaded
  if (!schedule) throw new Error("it has a schedule")
  const scheduled = [{ ...loaded, schedule, plan: { ...loaded.plan, stages: [stage] } }]

  const collector = await startCollector()
  const tracing = await openTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }, (problem) => {
    throw new Error(problem)
  })
  const lines: string[] = []
  const server = openServer(
    openLog("json", (line) => lines.push(line)),
    1,
    tracing,
  )
  const get = async (path: string): Promise<string> =>
    String((await server.routes.get(path)?.(new URLSearchParams()))?.body)
  server.serve({ scheduled, others: [], problems: [] })
  await until(() => called > 0)
  const [run] = JSON.parse(await get("/runs"))
  expect(run).toMatchObject({ pipeline: "notes", ended: null, listed: 3, pending: 3, done: 0, rows: 0 })
  expect(run.stages[2]).toMatchObject({ stage: "map", name: "length", inFlight: 1, held: run.stages[2].rowsIn })
  const held = 'ingest_stage_held{pipeline="notes",stage="map",name="length"}'
  expect(parsePrometheus(await get("/metrics")).get(held)).toBeGreaterThan(0)

  answer()
  await until(() => lines.some((line) => line.includes("run ended: complete")))
  await server.stop({ drain: true })
  await tracing?.close()
  const first = JSON.parse(await get("/runs")).find((one: { readonly run: string }) => one.run === run.run)
  expect(first).toMatchObject({ ending: "complete", done: 3, rows: 3 })
  expect(first.stages).toBeUndefined()
  expect(collector.problems).toEqual([])
  const root = collector.spans.find(({ attributes }) => attributes["sluice.run"] === run.run)
  expect(root).toMatchObject({ name: "run notes", attributes: { "sluice.table": "notes", "sluice.items.done": 3 } })
})
