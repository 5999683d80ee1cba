/** Files that may not be read, and names that lead elsewhere or act upon a terminal. */
import { execFile, execFileSync, spawnSync } from "node:child_process"
import { mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { expect, it, vi } from "vitest"
import { openHub } from "../../src/hub/client.ts"
import { listTree, pinRevision } from "../../src/hub/tree.ts"
import { startHub } from "../fixtures/hub.ts"
import { sluice } from "../fixtures/sluice.ts"
import { tempFolder } from "../fixtures/temp.ts"
import type { Outcome } from "../fixtures/unreadable-child.ts"

// Each command is a process of its own.
vi.setConfig({ testTimeout: 120_000 })

const hub = await startHub()
const CHILD = fileURLToPath(new URL("../fixtures/unreadable-child.ts", import.meta.url))
/** Nobody, on every system that has root. */
const NOBODY = 65_534

it.skipIf(process.platform === "win32")(
  "what may not be read fails, stays in the table, and keeps what is vanished in it",
  async ({ skip }) => {
    const other = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
    const env = { ...process.env, HOME: "/", TMPDIR: "/tmp" }
    const started = promisify(execFile)(process.execPath, [CHILD], { ...other, env }).catch((error: Error) => error)
    const ended = await started
    if (ended instanceof Error && "uid" in other && /EACCES|Cannot find|permission denied/i.test(ended.message)) {
      console.warn(`SKIPPED: root may read every file, and another user not even this program: ${ended.message}`)
      return skip()
    }
    if (ended instanceof Error) throw ended
    const { uid, first, second, failures, warnings }: Outcome = JSON.parse(ended.stdout)
    expect(uid).not.toBe(0)
    expect(first).toEqual(["a.txt", "b.txt", "closed/c.txt", "d.txt"])
    // The older rows of what changed stay, and what is gone stays too: more could be missing than is known.
    expect(second).toEqual(first)
    expect(failures).toEqual({
      "b.txt": expect.stringMatching(/EACCES: permission denied/),
      "closed/": expect.stringMatching(/^Permission denied: .*closed\. Let this user read it/),
    })
    expect(warnings).toEqual([expect.stringMatching(/Vanished items stay in the table: 1 folders could not be listed/)])
  },
)

it("paths that a server lists and that lead elsewhere end the listing", async () => {
  for (const path of ["../escape.csv", "a/../../b.csv", "a//b.csv", "./a.csv"]) {
    hub.push("o/d", { "a.csv": "x\n1\n" })
    const body = [{ type: "file", path, size: 4, oid: "0".repeat(40) }]
    const headers = { "content-type": "application/json" }
    hub.faults.splice(0, Infinity, { path: "/tree/", status: 200, headers, text: JSON.stringify(body) })
    const client = openHub({ hubUrl: hub.url })
    const never = new AbortController().signal
    const at = await pinRevision(client, "o/d", "main", never)
    await expect(listTree(client, at, never), path).rejects.toThrow(/expected a file with a path and a digest/)
  }
})

/** What a terminal would act upon. CSV in a file has contents as they are; only what is shown is changed. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNSAFE = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/

it("names and contents that act upon a terminal are shown, not obeyed, by every command in every format", async ({
  skip,
}) => {
  const cwd = await tempFolder()
  await mkdir(join(cwd, "in"))
  await writeFile(join(cwd, "in", "good\u001b]0;title\u0007\u001b[31m.md"), "words \u001b[2J and \u009b31m more\u202e")
  await writeFile(join(cwd, "in", "bad\u001b[2J\r\nfailed: not me.png"), "no picture \u001b[31m")
  await writeFile(
    join(cwd, "p.yaml"),
    'version: 1\nname: "odd\\e[31mname"\nsource: { type: files, include: in }\nsink: { type: lance, table: t }\nindex: [text]\n',
  )
  const odd = "no\u001b[31mpe"
  const commands: readonly (readonly string[])[] = [
    ["run", "p.yaml"],
    ["plan", "p.yaml"],
    ["dead-letters", "t", "--format", "table"],
    ["dead-letters", "t", "--format", "json"],
    ["inspect", "t", "--format", "table"],
    ["search", "t", "words", "--format", "json"],
    ["runs", "--format", "table"],
    ["validate", odd, "--set", `${odd}.x=1`],
  ]
  const [first = [], ...others] = commands
  const outputs = [await sluice(first, { cwd }), ...(await Promise.all(others.map((args) => sluice(args, { cwd }))))]
  for (const [index, { stdout, stderr }] of outputs.entries()) {
    expect(stdout, commands[index]?.join(" ")).not.toMatch(UNSAFE)
    expect(stderr, commands[index]?.join(" ")).not.toMatch(UNSAFE)
  }
  expect(outputs[0]?.stderr).toContain("failed: bad\\x1b[2J\\x0d\\nfailed: not me.png: ")
  await sluice(["export", "t", "out", "--column", "text"], { cwd })
  expect((await readdir(join(cwd, "out"))).join()).not.toMatch(UNSAFE)
  if (process.platform !== "linux" || spawnSync("script", ["--version"]).error) {
    console.warn("SKIPPED: without the program `script` of util-linux there is no terminal to show CSV on")
    return skip()
  }
  // A terminal for CSV, which elsewhere has contents as they are.
  const program = `'${process.execPath}' '${join(process.cwd(), "src/cli/main.ts")}' dead-letters t --format csv`
  const shown = execFileSync("script", ["-qec", program, "/dev/null"], { cwd, encoding: "utf8" })
  expect(shown.replaceAll("\r\n", "\n")).not.toMatch(UNSAFE)
  expect(shown).toContain("\\x1b[2J")
})
