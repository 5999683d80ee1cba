/** What Prometheus is told of scheduled runs. */
import { describe, expect, it } from "vitest"
import type { MapStage } from "../../src/model/stage.ts"
import { createMetrics } from "../../src/observe/metrics.ts"
import { runMetrics } from "../../src/observe/run-metrics.ts"
import type { ScheduleEvent } from "../../src/schedule/events.ts"
import { schedule } from "../../src/schedule/schedule.ts"
import { memory } from "../../src/sinks/memory.ts"
import { fakeClock } from "../fixtures/clock.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"
import { parsePrometheus } from "../fixtures/prometheus.ts"
import { until } from "../fixtures/sluice.ts"

describe("metrics", () => {
  it("are what Prometheus reads, whatever labels hold", () => {
    const metrics = createMetrics()
    metrics.counter("a_total", "Of a\\b\nand more.").add({ pipeline: 'say "x\\y"\n', stage: "" }, 2)
    metrics.gauge("b", "Now.").set({}, -1.5e-7)
    const seconds = metrics.histogram("c_seconds", "Time.", [0.1, 1])
    for (const value of [0.0625, 0.5]) seconds.observe({ pipeline: "p" }, value)
    // Two more that were counted elsewhere: 0.0625 and 7.0625.
    seconds.add({ pipeline: "p" }, [1, 0, 1], 7.125)
    expect([...parsePrometheus(metrics.render())]).toEqual([
      ['a_total{pipeline="say \\"x\\\\y\\"\\n",stage=""}', 2],
      ["b", -1.5e-7],
      ['c_seconds_bucket{pipeline="p",le="0.1"}', 2],
      ['c_seconds_bucket{pipeline="p",le="1"}', 3],
      ['c_seconds_bucket{pipeline="p",le="+Inf"}', 4],
      ['c_seconds_sum{pipeline="p"}', 7.6875],
      ['c_seconds_count{pipeline="p"}', 4],
    ])
    metrics.forget({ pipeline: "p" })
    expect(parsePrometheus(metrics.render()).size).toBe(2)
  })
})

describe("of a pipeline's runs", () => {
  it("say what became of items and rows, over all runs", async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const items = itemsOf([{ rows: 7 }, { rows: 0, end: "throw" }, { rows: 0 }, { rows: 0, end: "exit" }, { rows: 4 }])
    const plan = testPlan(items, memory({ table: "t" }), "thread", {
      flushEvery: 2,
      commitEvery: { rows: 4 },
      workers: { threads: 1 },
    })
    let called = 0
    const tag: MapStage = {
      kind: "map",
      name: "tag",
      columns: new Map([["tag", { name: "TEXT" }]]),
      map: (batch) => {
        if (called++ === 0) throw new Error("503")
        return { tag: batch.items }
      },
      batch: 3,
      concurrency: 1,
      retries: 1,
      perSecond: Infinity,
      timeout: 60_000,
    }
    const metrics = createMetrics()
    const meter = runMetrics(metrics, clock.now)("made-up", () => handle)
    const types: string[] = []
    const onEvent = (event: ScheduleEvent): void => {
      meter.event(event)
      types.push(event.type)
    }
    const handle = schedule({ ...plan, stages: [tag] }, "0 * * * *", { clock, onEvent })
    const value = (name: string, labels = ""): number | undefined =>
      parsePrometheus(metrics.render()).get(`ingest_${name}{pipeline="made-up"${labels}}`)

    await clock.idle()
    expect(value("items_discovered_total")).toBe(0)
    expect(value("last_success_timestamp_seconds")).toBeUndefined()
    expect(value("schedule_next_timestamp_seconds")).toBe(Date.parse("2026-03-01T11:00:00Z") / 1000)

    await clock.pass("2026-03-01T11:00:00Z")
    await until(() => types.includes("finished"))
    const first = {
      items_discovered_total: 5,
      items_processed_total: 3,
      items_unchanged_total: 0,
      rows_normalized_total: 11,
      rows_flushed_total: 11,
      rows_committed_total: 11,
      bytes_read_total: 200,
      worker_restarts_total: 1,
      run_seconds_count: 1,
      commit_seconds_count: 3,
      run_active: 0,
      buffer_bytes: 0,
      inflight_bytes: 0,
      worker_busy: 0,
      last_success_timestamp_seconds: Date.parse("2026-03-01T11:00:00Z") / 1000,
    }
    for (const [name, expected] of Object.entries(first)) expect({ [name]: value(name) }).toEqual({ [name]: expected })
    expect(value("items_failed_total", ',stage="normalize"')).toBe(2)
    expect(value("items_failed_total", ',stage="write"')).toBe(0)
    expect(value("runs_total", ',ending="complete"')).toBe(1)
    expect(value("commits_total", ',reason="rows"')).toBe(2)
    expect(value("commits_total", ',reason="end"')).toBe(1)
    expect(value("bytes_written_total")).toBeGreaterThan(0)
    const ofStage = (name: string, stage: string, more = ""): number | undefined =>
      value(name, `,stage="${stage}",name="${stage === "map" ? "tag" : stage}"${more}`)
    const staged = () => ({
      listed: ofStage("stage_seconds_count", "list"),
      normalized: ofStage("stage_seconds_count", "normalize"),
      failed: ofStage("stage_failures_total", "normalize"),
      called: ofStage("stage_seconds_count", "map"),
      failedCalls: ofStage("stage_failures_total", "map"),
      again: ofStage("retries_total", "map", ',reason="call-failed"'),
      through: ofStage("stage_rows_out_total", "map"),
      written: ofStage("stage_rows_out_total", "write"),
      held: ofStage("stage_held", "write"),
    })
    const calls = staged().called ?? 0
    expect(calls).toBeGreaterThan(1)
    expect(staged()).toMatchObject({ listed: 1, normalized: 5, failed: 2, failedCalls: 1, again: 1 })
    expect(staged()).toMatchObject({ through: 11, written: 11, held: 0 })

    await clock.pass("2026-03-01T12:10:00Z")
    await until(() => types.filter((type) => type === "finished").length === 2)
    expect(value("items_discovered_total")).toBe(10)
    expect(value("items_unchanged_total")).toBe(2)
    expect(value("items_processed_total")).toBe(3)
    expect(value("rows_committed_total")).toBe(11)
    expect(value("items_failed_total", ',stage="normalize"')).toBe(2)
    expect(value("checkpoint_age_seconds")).toBe(600)
    expect(staged()).toMatchObject({ listed: 2, normalized: 5, failed: 2, again: 1, written: 11 })
    await handle.stop()
    meter.close()
    expect(parsePrometheus(metrics.render()).size).toBe(0)
  })
})
