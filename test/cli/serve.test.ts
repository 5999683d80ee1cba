/** A server as a real process: it runs by schedules, is asked over HTTP, told to stop, killed, and has a twin. */
import { existsSync, readdirSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { type AddressInfo, connect as connectTo } from "node:net"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { inspectTable } from "../../src/dataset/inspect.ts"
import { listRuns } from "../../src/dataset/runs.ts"
import { parsePrometheus } from "../fixtures/prometheus.ts"
import { type Started, sluice, startSluice, until, untilExists } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"

// Each test starts several processes; a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 })

const EVERY_SECOND = '{ cron: "* * * * * *" }'

const document = (name: string, more = `schedule: ${EVERY_SECOND}`): string =>
  `version: 1\nname: ${name}\nsource: { type: files, include: docs }\nsink: { type: lance, table: ${name}, mode: sync }\n${more}\n`

let cwd = ""
const servers: Started[] = []

const serve = (args: readonly string[] = ["pipelines"]): Started => {
  const started = startSluice(["serve", "--port", "0", "--log-format", "json", ...args], { cwd })
  servers.push(started)
  return started
}

/** Log lines whose message holds the text. */
const said = (server: Started, message: string): Record<string, unknown>[] =>
  server
    .stderr()
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => String(line.message).includes(message))

const untilSaid = (server: Started, message: string, times = 1): Promise<void> =>
  until(() => said(server, message).length >= times)

const addressOf = async (server: Started): Promise<string> => {
  await untilSaid(server, "listening")
  return /http:\/\/\S+/.exec(String(said(server, "listening")[0]?.message))?.[0] ?? ""
}

beforeEach(async () => {
  cwd = await tempFolder()
  await mkdir(join(cwd, "docs"))
  await mkdir(join(cwd, "pipelines"))
  for (const animal of ["fox", "otter"]) await writeFile(join(cwd, `docs/${animal}.txt`), `The ${animal} waits.\n`)
})

afterEach(async () => {
  for (const { child } of servers) child.kill("SIGKILL")
  await Promise.all(servers.splice(0).map(({ ended }) => ended))
})

describe("a server", () => {
  it("and its twin run each time once, answer whoever asks, and end when they are told to", async () => {
    await writeFile(join(cwd, "pipelines/notes.yaml"), document("notes"))
    await writeFile(join(cwd, "pipelines/by-hand.yml"), document("by-hand", ""))
    await writeFile(join(cwd, "pipelines/README.md"), "not a document")
    const [server, twin] = [serve(), serve()]
    const [address, other] = [await addressOf(server), await addressOf(twin)]
    const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`${address}${path}`, init)
    const ended = (): number => [server, twin].flatMap((one) => said(one, "run ended: complete")).length
    await until(() => ended() >= 2)
    expect(said(server, "has no schedule")).toMatchObject([{ pipeline: "by-hand", level: "info" }])

    expect(await (await get("/ping")).text()).toBe("pong\n")
    const ready = await get("/ready")
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ ready: true, pipelines: [{ pipeline: "notes", problem: null }] })
    const metrics = await get("/metrics")
    expect(metrics.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8")
    const samples = [await metrics.text(), await (await fetch(`${other}/metrics`)).text()].map(parsePrometheus)
    const sum = (name: string): number => samples.reduce((total, one) => total + (one.get(name) ?? Number.NaN), 0)
    expect(sum('ingest_rows_committed_total{pipeline="notes"}')).toBe(2)
    expect(sum('ingest_runs_total{pipeline="notes",ending="complete"}')).toBeGreaterThanOrEqual(2)
    expect(sum("ingest_config_last_reload_successful")).toBe(2)
    expect(await (await get("/runs?table=notes&limit=1")).json()).toMatchObject([{ pipeline: "notes", table: "notes" }])
    expect(await (await get("/runs?table=nope")).json()).toEqual([])

    expect((await get("/runs?limit=many")).status).toBe(400)
    expect((await get("/metrics", { method: "POST", body: "x" })).status).toBe(405)
    for (const path of ["/", "/metrics/", "//ping", "/%2e%2e/%zz", "/__proto__", "/ping/../../etc/passwd%00"]) {
      expect((await get(path)).status, path).toBe(404)
    }
    const socket = connectTo(Number(new URL(address).port), "127.0.0.1")
    socket.on("error", () => {})
    socket.end("GET http://[ HTTP/1.1\r\nhost: \u0001\r\n\r\nnonsense\r\n\r\n")
    expect((await get("/ping")).status).toBe(200)

    twin.child.kill("SIGKILL")
    await untilSaid(server, "run ended: complete", said(server, "run ended: complete").length + 1)
    const never = 'schedule: { cron: "0 0 1 1 *" }'
    await writeFile(
      join(cwd, "pipelines/bad.yaml"),
      document("bad", never).replace("table:", "uri: docs/fox.txt, table:"),
    )
    await untilSaid(server, "scheduled: 0 0 1 1 *")
    const unready = await get("/ready")
    expect(unready.status).toBe(503)
    expect(await unready.json()).toMatchObject({
      ready: false,
      pipelines: [{ problem: null }, { problem: "Expected a folder of tables as uri, found the file docs/fox.txt" }],
    })
    server.child.kill("SIGTERM")
    expect(await server.ended).toMatchObject({ code: 143, stdout: "" })
    expect(said(server, "stopped")).toHaveLength(1)
    const times = [server, twin].flatMap((one) => said(one, "run started").map(({ due }) => String(due)))
    expect(new Set(times).size).toBe(times.length)
    expect([server, twin].flatMap((one) => said(one, "being written"))).toEqual([])
  })

  it("takes in changes once they are right, and says once what is wrong", async () => {
    const file = join(cwd, "pipelines/notes.yaml")
    await writeFile(file, document("notes"))
    const server = serve()
    await untilSaid(server, "run ended: complete")

    await writeFile(file, document("notes").replace("schedule:", "shedule:"))
    await untilSaid(server, 'shedule: unknown key; did you mean "schedule"?')
    const before = said(server, "run ended: complete").length
    await untilSaid(server, "run ended: complete", before + 2)
    expect(said(server, "unknown key")).toHaveLength(1)
    const samples = parsePrometheus(await (await fetch(`${await addressOf(server)}/metrics`)).text())
    expect(samples.get("ingest_config_last_reload_successful")).toBe(0)

    // A second pipeline comes, and the first writes into another table.
    await writeFile(join(cwd, "pipelines/more.yaml"), document("more"))
    await writeFile(join(cwd, "draft"), document("notes").replace("table: notes", "table: moved"))
    await rename(join(cwd, "draft"), file)
    await until(() => said(server, "run ended: complete").some(({ pipeline }) => pipeline === "more"))
    await untilExists(join(cwd, "data/moved.lance/_versions"))
    await rm(file)
    await untilSaid(server, "its document is gone")
    server.child.kill("SIGINT")
    expect((await server.ended).code).toBe(130)
    expect((await inspectTable(join(cwd, "data"), "more")).rows).toBe(2)
    const scheduled = said(server, "scheduled").map(({ pipeline }) => pipeline)
    expect(scheduled.sort()).toEqual(["more", "notes", "notes"])
    const gone = server.stderr().slice(server.stderr().indexOf("its document is gone"))
    expect(gone).not.toContain('"message":"run started","pipeline":"notes"')
  })

  it("that is stopped or killed in the middle of a run goes on with it when it is there again", async () => {
    const FILES = 800
    for (let i = 0; i < FILES; i++) await writeFile(join(cwd, `docs/${i}.txt`), `number ${i}`)
    await writeFile(
      join(cwd, "pipelines/many.yaml"),
      document("many", 'commit_every: 5\nschedule: { cron: "* * * * * *", catch_up: last }'),
    )
    const data = join(cwd, "data")
    const commits = (): number => {
      const versions = join(data, "many.lance/_versions")
      return existsSync(versions) ? readdirSync(versions).length : 0
    }

    const first = serve()
    await until(() => commits() > 0)
    first.child.kill("SIGTERM")
    expect((await first.ended).code).toBe(143)
    expect(said(first, "run ended")).toMatchObject([{ message: "run ended: interrupted" }])

    const before = commits()
    const second = serve()
    await until(() => commits() > before)
    second.child.kill("SIGKILL")
    await second.ended
    expect(said(second, "to make up for what was missed")).toHaveLength(1)
    expect(said(second, "run ended")).toEqual([])

    const third = serve()
    await untilSaid(third, "run ended: complete")
    third.child.kill("SIGTERM")
    await third.ended
    expect(said(third, "run ended: complete")[0]).toMatchObject({ listed: FILES + 2 })
    expect(await inspectTable(data, "many")).toMatchObject({ rows: FILES + 2, items: { done: FILES + 2, failed: 0 } })
    const endings = (await listRuns(data, "many")).map(({ ending }) => ending)
    expect(endings.reverse().slice(0, 3)).toEqual(["interrupted", null, "complete"])
  })
})

describe("a server does not start", () => {
  it("with a document that is wrong, a name that is given twice, or a folder that is not there", async () => {
    await writeFile(join(cwd, "pipelines/a.yaml"), document("a", "schedule: { cron: never }"))
    await writeFile(join(cwd, "pipelines/b.yaml"), document("b"))
    await writeFile(join(cwd, "pipelines/c.yaml"), document("b"))
    expect(await sluice(["serve", "pipelines"], { cwd })).toMatchObject({
      code: 2,
      stderr: [
        'pipelines/a.yaml:5:19  schedule.cron: expected five fields (minute, hour, day, month, weekday), six with seconds before them, or a name such as @daily, found "never"',
        'pipelines/c.yaml: the name "b" is that of a pipeline in pipelines/b.yaml; give it another one',
        "",
      ].join("\n"),
    })
    const missing = await sluice(["serve", "nowhere"], { cwd })
    expect(missing.code).toBe(2)
    expect(missing.stderr).toMatch(/^error: nowhere: cannot be read: ENOENT/)
  })

  it("on a port that is taken", async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve))
    const { port } = other.address() as AddressInfo
    await writeFile(join(cwd, "pipelines/notes.yaml"), document("notes"))
    const { code, stderr } = await sluice(["serve", "pipelines", "--port", String(port)], { cwd })
    other.close()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^error: Port \d+ of 127\.0\.0\.1 cannot be had: .*EADDRINUSE.* --port .*--no-http\)\n$/)
  })
})
