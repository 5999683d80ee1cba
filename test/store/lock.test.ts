import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"
import { FatalError, TableError } from "../../src/model/errors.ts"
import { acquireLock, type Lock, stateFolder, unlock } from "../../src/store/lock.ts"
import { tempFolder } from "../fixtures/temp.ts"

const HOLDER = fileURLToPath(new URL("../fixtures/lock-holder.ts", import.meta.url))

const lockFile = (folder: string): string => join(stateFolder(folder), "t.lock")

/** Writes a lock as another process would have left it. */
const plant = async (folder: string, holder: Readonly<Record<string, unknown>>): Promise<void> => {
  await mkdir(stateFolder(folder), { recursive: true })
  const defaults = { host: hostname(), pid: process.pid, started: "1", token: "planted", since: "2026-01-01T00:00:00Z" }
  await writeFile(lockFile(folder), JSON.stringify({ ...defaults, ...holder }))
}

/** Starts a process that holds the lock; resolves to its id when it does. */
const holdInChild = async (command: string, args: readonly string[]) => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] })
  const [line] = await once(child.stdout, "data")
  const [, pid] = /held (\d+)/.exec(String(line)) ?? []
  return { child, pid: Number(pid) }
}

describe("a lock that is held", () => {
  it("is refused to a second one, who learns who holds it", async () => {
    const folder = await tempFolder()
    const lock = await acquireLock(folder, "t")
    const second = acquireLock(folder, "t")
    await expect(second).rejects.toThrow(TableError)
    await expect(second).rejects.toThrow(new RegExp(`process ${process.pid} on ${hostname()} since .*sluice unlock t`))
    await lock.check()
    await (await acquireLock(folder, "other")).release()
    await lock.release()
    await (await acquireLock(folder, "t")).release()
    expect(await readdir(stateFolder(folder))).toEqual([])
  })

  it("is not taken from another host", async () => {
    const folder = await tempFolder()
    await plant(folder, { host: "elsewhere", pid: 2 ** 22 + 1 })
    await expect(acquireLock(folder, "t")).rejects.toThrow(/process 4194305 on elsewhere/)
  })

  it("is lost to unlock: its holder writes nothing more, and leaves the next holder's lock alone", async () => {
    const folder = await tempFolder()
    const former = await acquireLock(folder, "t")
    expect(await unlock(folder, "t")).toMatch(new RegExp(`process ${process.pid} on`))
    expect(await unlock(folder, "t")).toBeUndefined()
    await expect(former.check()).rejects.toThrow(FatalError)
    const next = await acquireLock(folder, "t")
    await expect(former.check()).rejects.toThrow(/was taken away by process/)
    await former.release()
    await next.check()
    await next.release()
  })
})

it("unlock frees what belongs to the table, too, and nothing else", async () => {
  const folder = await tempFolder()
  for (const name of ["t__schedule-1", "tt", "tt__schedule-1"]) await acquireLock(folder, name)
  expect(await unlock(folder, "t")).toMatch(new RegExp(`process ${process.pid} on`))
  expect((await readdir(stateFolder(folder))).sort()).toEqual(["tt.lock", "tt__schedule-1.lock"])
})

describe("a lock whose holder is dead", () => {
  it("is taken over after a kill", async () => {
    const folder = await tempFolder()
    const { child, pid } = await holdInChild(process.execPath, [HOLDER, folder, "t"])
    await expect(acquireLock(folder, "t")).rejects.toThrow(new RegExp(`process ${pid} on`))
    child.kill("SIGKILL")
    await once(child, "exit")
    const lock = await acquireLock(folder, "t")
    await lock.check()
    await lock.release()
  })

  it.runIf(process.platform === "linux")("is taken over when nobody asked for the end of the process", async () => {
    const folder = await tempFolder()
    // The shell becomes `sleep`, which never waits for the children that it inherits.
    const script = `"$0" "$1" "$2" t & exec sleep 60`
    const { child, pid } = await holdInChild("sh", ["-c", script, process.execPath, HOLDER, folder])
    process.kill(pid, "SIGKILL")
    await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8")).toMatch(/\) Z /)
    const lock = await acquireLock(folder, "t")
    await lock.check()
    child.kill()
  })

  it.runIf(process.platform === "linux")("is taken over when its process id was given to another process", async () => {
    const folder = await tempFolder()
    await plant(folder, { pid: process.pid, started: "1" })
    const lock = await acquireLock(folder, "t")
    await lock.check()
    await lock.release()
  })

  it("goes to one of two who want it", async () => {
    const folder = await tempFolder()
    for (let round = 0; round < 20; round++) {
      await plant(folder, { pid: 2 ** 22 + 1, token: `planted-${round}` })
      const results = await Promise.allSettled([acquireLock(folder, "t"), acquireLock(folder, "t")])
      const won = results.filter((result): result is PromiseFulfilledResult<Lock> => result.status === "fulfilled")
      const lost = results.filter((result): result is PromiseRejectedResult => result.status === "rejected")
      expect(won).toHaveLength(1)
      expect(lost[0]?.reason).toBeInstanceOf(TableError)
      await won[0]?.value.check()
      await won[0]?.value.release()
    }
    expect(await readdir(stateFolder(folder))).toEqual([])
  })
})

it("a damaged lock is left for a person to judge", async () => {
  const folder = await tempFolder()
  await mkdir(stateFolder(folder))
  await writeFile(lockFile(folder), "{")
  await expect(acquireLock(folder, "t")).rejects.toThrow(/lock file .*t\.lock is damaged/)
  expect(await readFile(lockFile(folder), "utf8")).toBe("{")
})

it("clears away what a process that was killed while it took the lock has left", async () => {
  const folder = await tempFolder()
  await mkdir(stateFolder(folder), { recursive: true })
  const scratch = (pid: number): string => `t.lock.${hostname()}.${pid}.0b9c1c5e-0000-4000-8000-000000000000`
  for (const pid of [2 ** 22 + 1, process.pid]) await writeFile(join(stateFolder(folder), scratch(pid)), "{")
  const lock = await acquireLock(folder, "t")
  expect((await readdir(stateFolder(folder))).sort()).toEqual(["t.lock", scratch(process.pid)])
  await lock.release()
})

it.each(["", "\0".repeat(120)])(
  "a lock that has lost its content together with the machine's power holds nobody up",
  async (content) => {
    const folder = await tempFolder()
    await mkdir(stateFolder(folder))
    await writeFile(lockFile(folder), content)
    const lock = await acquireLock(folder, "t")
    await expect(acquireLock(folder, "t")).rejects.toThrow("is being written by")
    await lock.release()
  },
)
