/** Schedules on a clock that the tests move: which runs are started, and which are not. */
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { describe, expect, it } from "vitest"
import type { Plan } from "../../src/engine/plan.ts"
import { messageOf } from "../../src/model/errors.ts"
import type { Sink } from "../../src/model/sink.ts"
import type { Source } from "../../src/model/source.ts"
import type { ScheduleEvent } from "../../src/schedule/events.ts"
import { type ScheduleOptions, type ScheduleSpec, schedule } from "../../src/schedule/schedule.ts"
import { slots } from "../../src/schedule/slots.ts"
import { memory } from "../../src/sinks/memory.ts"
import { type FakeClock, fakeClock } from "../fixtures/clock.ts"
import { itemsOf, testPlan } from "../fixtures/plans.ts"
import { until } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

/** What happened, in a word or two each. */
const brief = (event: ScheduleEvent): string[] => {
  const at = "due" in event && event.due !== undefined ? ` ${new Date(event.due).toISOString().slice(11, 19)}` : ""
  switch (event.type) {
    case "started":
      return [`started${at} ${event.cause}`]
    case "finished":
      return [`${event.summary.ending}${at}`]
    case "overlap":
      return [`${event.policy}${at}`]
    case "missed":
      return [`missed${at}`]
    case "failed":
      return [`failed${at} ${messageOf(event.error)}`]
    case "elsewhere":
      return [`elsewhere${at}`]
    default:
      return []
  }
}

/** Runs that go on until they are let through, into a table of their own. */
const gatedPlan = (sink: Sink) => {
  const gates = new Set<() => void>()
  let open = false
  const base = testPlan([], sink, "main")
  const items: Source["items"] = async function* ({ signal }) {
    yield* itemsOf([{ rows: 1 }])
    if (open || signal.aborted) return
    await new Promise<void>((resolve) => {
      const pass = (): void => {
        gates.delete(pass)
        resolve()
      }
      gates.add(pass)
      signal.addEventListener("abort", pass, { once: true })
    })
  }
  const plan: Plan = { ...base, feed: { ...base.feed, source: { name: "gated", items } } }
  const release = (): void => {
    for (const pass of [...gates]) pass()
  }
  return {
    plan,
    /** Lets the runs that go on come to their end. */
    release: async () => {
      await until(() => gates.size > 0)
      release()
    },
    /** From now on no run is held. */
    open: () => {
      open = true
      release()
    },
    running: () => gates.size,
  }
}

/** A memory sink whose schedules keep their state in a folder. */
const sinkIn = (folder: string): Sink => ({ ...memory({ table: "t" }), folder })

const watched = (plan: Plan, spec: ScheduleSpec, options: ScheduleOptions) => {
  const log: string[] = []
  const handle = schedule(plan, spec, { ...options, onEvent: (event) => log.push(...brief(event)) })
  return { log, handle, logged: (entry: string) => until(() => log.includes(entry)) }
}

const iso = (at: number | undefined): string => (at === undefined ? "" : new Date(at).toISOString())

const HOURLY: ScheduleSpec = { cron: "0 * * * *" }

describe("a schedule", () => {
  it("starts a run each time, says when the next one is, and ends when it is told to", async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const gated = gatedPlan(memory({ table: "t" }))
    gated.open()
    const { log, handle, logged } = watched(gated.plan, HOURLY, { clock })
    await clock.idle()
    expect(iso(handle.next)).toBe("2026-03-01T11:00:00.000Z")
    await clock.pass("2026-03-01T10:59:59Z")
    expect(log).toEqual([])
    await clock.pass("2026-03-01T11:00:00Z")
    await logged("complete 11:00:00")
    await clock.pass("2026-03-01T12:30:00Z")
    await logged("complete 12:00:00")
    await clock.idle()
    expect(iso(handle.next)).toBe("2026-03-01T13:00:00.000Z")
    await handle.stop()
    expect(log).toEqual(["started 11:00:00 due", "complete 11:00:00", "started 12:00:00 due", "complete 12:00:00"])
    expect(handle.next).toBeUndefined()
  })

  it("goes on after a run that fails", async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    let tries = 0
    const plan = testPlan(
      async function* () {
        if (++tries === 1) throw new Error("the source is away")
        yield* itemsOf([{ rows: 1 }])
      },
      memory({ table: "t" }),
      "main",
    )
    const { log, handle, logged } = watched(plan, HOURLY, { clock })
    await clock.pass("2026-03-01T11:00:00Z")
    await logged("failed 11:00:00 the source is away")
    await clock.pass("2026-03-01T12:00:00Z")
    await logged("complete 12:00:00")
    await handle.stop()
    expect(log).toHaveLength(4)
  })

  it("begins within the jitter", async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const gated = gatedPlan(memory({ table: "t" }))
    gated.open()
    const delays: number[] = []
    let finished = 0
    const onEvent = (event: ScheduleEvent): void => {
      if (event.type === "started") delays.push(clock.now() - event.due)
      if (event.type === "finished") finished++
    }
    const handle = schedule(gated.plan, { ...HOURLY, jitter: 600_000 }, { clock, onEvent })
    for (let hour = 11; hour < 19; hour++) {
      await clock.pass(`2026-03-01T${hour}:30:00Z`)
      await until(() => finished === hour - 10)
    }
    await handle.stop()
    for (const delay of delays) {
      expect(delay).toBeGreaterThanOrEqual(0)
      expect(delay).toBeLessThan(601_000)
    }
    expect(new Set(delays).size).toBeGreaterThan(1)
  })
})

describe("a run that is due while the one before goes on", () => {
  const collide = async (overlap: ScheduleSpec["overlap"]) => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const gated = gatedPlan(sinkIn(await tempFolder()))
    const seen = watched(gated.plan, { ...HOURLY, ...(overlap && { overlap }) }, { clock })
    await clock.pass("2026-03-01T11:00:00Z")
    await until(() => gated.running() === 1)
    return { clock, gated, ...seen }
  }

  it("is left out by default", async () => {
    const { clock, gated, log, handle, logged } = await collide(undefined)
    await clock.pass("2026-03-01T13:30:00Z")
    await gated.release()
    await logged("complete 11:00:00")
    gated.open()
    await clock.pass("2026-03-01T14:00:00Z")
    await logged("complete 14:00:00")
    await handle.stop()
    expect(log).toEqual([
      "started 11:00:00 due",
      "skip 12:00:00",
      "skip 13:00:00",
      "complete 11:00:00",
      "started 14:00:00 due",
      "complete 14:00:00",
    ])
  })

  it("queue: begins after it, and a third does not wait as well", async () => {
    const { clock, gated, log, handle, logged } = await collide("queue")
    await clock.pass("2026-03-01T13:30:00Z")
    await gated.release()
    await logged("started 12:00:00 overlap")
    await gated.release()
    await logged("complete 12:00:00")
    await handle.stop()
    expect(log).toEqual([
      "started 11:00:00 due",
      "queue 12:00:00",
      "skip 13:00:00",
      "complete 11:00:00",
      "started 12:00:00 overlap",
      "complete 12:00:00",
    ])
  })

  it("cancel: drains it, and begins then", async () => {
    const { clock, gated, log, handle, logged } = await collide("cancel")
    await clock.pass("2026-03-01T12:00:00Z")
    await logged("started 12:00:00 overlap")
    gated.open()
    await logged("complete 12:00:00")
    await handle.stop()
    expect(log).toEqual([
      "started 11:00:00 due",
      "cancel 12:00:00",
      "interrupted 11:00:00",
      "started 12:00:00 overlap",
      "complete 12:00:00",
    ])
  })
})

describe("stopping", () => {
  const started = async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const gated = gatedPlan(memory({ table: "t" }))
    const seen = watched(gated.plan, { ...HOURLY, overlap: "queue" }, { clock })
    await clock.pass("2026-03-01T12:00:00Z")
    await until(() => gated.running() === 1)
    return { gated, ...seen }
  }

  it("drains the run that goes on", async () => {
    const { log, handle } = await started()
    await handle.stop()
    expect(log).toEqual(["started 11:00:00 due", "queue 12:00:00", "interrupted 11:00:00"])
  })

  it("end waits for it", async () => {
    const { log, handle, gated } = await started()
    const ended = handle.end()
    await gated.release()
    await ended
    expect(log).toEqual(["started 11:00:00 due", "queue 12:00:00", "complete 11:00:00"])
  })
})

describe("several schedules", () => {
  it("with one slot run one after the other, and one that waits can be stopped", async () => {
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const slot = slots(1)
    const plans = [1, 2, 3].map(() => gatedPlan(memory({ table: "t" })))
    const all = plans.map(({ plan }) => watched(plan, HOURLY, { clock, slot }))
    await clock.pass("2026-03-01T11:00:00Z", 3)
    const [a, b, c] = all
    await until(() => plans[0]?.running() === 1)
    await clock.idle(3)
    expect([a?.log.length, b?.log.length, c?.log.length]).toEqual([1, 0, 0])
    await b?.handle.stop()
    await plans[0]?.release()
    await c?.logged("started 11:00:00 due")
    await plans[2]?.release()
    await c?.logged("complete 11:00:00")
    await Promise.all(all.map(({ handle }) => handle.stop()))
    expect(b?.log).toEqual([])
  })
})

describe("what is on the disk", () => {
  const begin = async (
    folder: string,
    clock: FakeClock,
    spec: ScheduleSpec,
  ): Promise<ReturnType<typeof watched> & { readonly gated: ReturnType<typeof gatedPlan> }> => {
    const gated = gatedPlan(sinkIn(join(folder, "data")))
    return { ...watched(gated.plan, spec, { clock }), gated }
  }

  it("keeps two servers from running the same time twice", async () => {
    const folder = await tempFolder()
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const [a, b] = [await begin(folder, clock, HOURLY), await begin(folder, clock, HOURLY)]
    a.gated.open()
    b.gated.open()
    const runs = (): string[] => [...a.log, ...b.log].filter((entry) => entry.startsWith("complete"))
    const times = Array.from({ length: 12 }, (_, i) => new Date(Date.UTC(2026, 2, 1, 11 + i)).toISOString())
    for (const [done, time] of times.entries()) {
      await clock.pass(time, 2)
      await until(() => runs().length === done + 1)
    }
    await clock.pass("2026-03-01T22:59:59Z", 2)
    await Promise.all([a.handle.stop(), b.handle.stop()])
    expect(runs().sort()).toEqual(times.map((time) => `complete ${time.slice(11, 19)}`))
  })

  it("is read again by who takes the lease: of many that come late, one finds something to do", async () => {
    const folder = await tempFolder()
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const first = await begin(folder, clock, HOURLY)
    await clock.idle()
    await first.handle.stop()
    for (let day = 2; day < 7; day++) {
      clock.set(`2026-03-0${day}T10:30:00Z`)
      const servers: Awaited<ReturnType<typeof begin>>[] = []
      while (servers.length < 30) {
        // A little apart, so that some look while another one decides.
        servers.push(await begin(folder, clock, HOURLY))
        await setTimeout(1)
      }
      await clock.pass(`2026-03-0${day}T10:30:10Z`, servers.length)
      await Promise.all(servers.map(({ handle }) => handle.stop()))
      const done = servers.flatMap(({ log }) => log.filter((entry) => !entry.startsWith("elsewhere")))
      expect(done).toEqual(["missed 11:00:00"])
    }
  })

  it.each([
    ["last", ["missed 12:00:00", "started 12:00:00 catch-up", "complete 12:00:00"]],
    ["none", ["missed 12:00:00"]],
  ] as const)("tells after a restart what was missed; catch_up %s", async (catchUp, expected) => {
    const folder = await tempFolder()
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const first = await begin(folder, clock, { ...HOURLY, catchUp })
    first.gated.open()
    await clock.pass("2026-03-01T11:00:00Z")
    await first.logged("complete 11:00:00")
    await first.handle.stop()
    clock.set("2026-03-01T16:30:00Z")
    const second = await begin(folder, clock, { ...HOURLY, catchUp })
    second.gated.open()
    await until(() => second.log.length === expected.length)
    await clock.pass("2026-03-01T17:00:00Z")
    await second.logged("complete 17:00:00")
    await second.handle.stop()
    expect(second.log).toEqual([...expected, "started 17:00:00 due", "complete 17:00:00"])
  })

  it("counts a run that is a little late as one in time, and does not make up for what was never scheduled", async () => {
    const folder = await tempFolder()
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const first = await begin(folder, clock, HOURLY)
    await clock.idle()
    await first.handle.stop()
    clock.set("2026-03-01T11:00:20Z")
    const second = await begin(folder, clock, HOURLY)
    await second.logged("started 11:00:00 due")
    second.gated.open()
    await second.logged("complete 11:00:00")
    await second.handle.stop()
    clock.set("2026-03-01T15:30:00Z")
    const other = await begin(folder, clock, { cron: "10 * * * *", catchUp: "last" })
    await clock.idle()
    expect(iso(other.handle.next)).toBe("2026-03-01T16:10:00.000Z")
    await other.handle.stop()
    expect(other.log).toEqual([])
  })

  it("makes up for a run that was cut off, also one that another process has left", async () => {
    const folder = await tempFolder()
    const clock = fakeClock("2026-03-01T10:30:00Z")
    const spec: ScheduleSpec = { ...HOURLY, catchUp: "last" }
    const first = await begin(folder, clock, spec)
    const standby = await begin(folder, clock, spec)
    await clock.pass("2026-03-01T11:00:00Z", 2)
    await until(() => first.gated.running() + standby.gated.running() === 1)
    const [running, other] = first.gated.running() === 1 ? [first, standby] : [standby, first]
    await running.handle.stop()
    await clock.pass("2026-03-01T11:00:05Z")
    await other.logged("started 11:00:00 catch-up")
    other.gated.open()
    await other.logged("complete 11:00:00")
    await other.handle.stop()
    expect(running.log).toEqual(["started 11:00:00 due", "interrupted 11:00:00"])
  })

  it("does not hold a schedule up after a clock that was wrong", async () => {
    const folder = await tempFolder()
    const clock = fakeClock("2036-03-01T10:30:00Z")
    const { gated, handle, logged } = await begin(folder, clock, HOURLY)
    gated.open()
    await clock.idle()
    clock.set("2026-03-01T10:30:00Z")
    await clock.pass("2026-03-01T11:00:00Z")
    await logged("complete 11:00:00")
    await handle.stop()
  })
})
