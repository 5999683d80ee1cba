// Packs the project, installs the tarball in a scratch project, and uses it there as a stranger would: the types, the
// command, the workers and the child processes have to be found.
import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const project = resolve(import.meta.dirname, "..")
const scratch = mkdtempSync(join(tmpdir(), "sluice-package-"))
const npm = process.platform === "win32" ? "npm.cmd" : "npm"
const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: scratch, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options })

const consumer = `
import { Client, type IngestResult, IngestError, files, filesPlan, lance, run, searchText } from "sluice"
import { faulty } from "sluice/testing"

const client = new Client({ uri: "./data" })
const result: IngestResult = await client.ingest("points", { x: new Float64Array([0.5, 1.5]), label: ["a", "b"] })
if (result.rowCount !== 2) throw new IngestError("expected two rows, found " + result.rowCount)
const summary = await run(
  filesPlan({ name: "files", source: files({ include: "./files" }), sink: lance({ uri: "./data", table: "docs", index: ["text"] }) }),
)
const plan = filesPlan(
  { name: "faulty", source: files({ include: "./files" }), sink: lance({ uri: "./data", table: "faulty" }) },
  { failed: "retry" },
)
const broken = await run(faulty(plan, { normalizer: { fail: 1 } }))
if (broken.items.failed !== 6) throw new IngestError("expected six faults, found " + broken.items.failed)
const mended = await run(plan)
if (mended.items.done !== 6) throw new IngestError("expected six items, found " + mended.items.done)
const found = await searchText("./data", "docs", "river")
console.log(JSON.stringify({ items: summary.items, rowsByMedium: summary.rowsByMedium, found: found.length, tables: await client.listTables() }))
`

/** What people who come from the SDK do there, as files of their project; one process runs them all. */
const examples = readdirSync(join(project, "examples", "sdk")).filter((name) => name !== "make-inputs.ts")
const runExamples = examples
  .filter((name) => name !== "embed.ts")
  .map((name) => `await import("./${name}")`)
  .join("\n")

const expectEqual = (what, found, expected) => {
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(`${what}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`)
  }
}

try {
  const [{ filename }] = JSON.parse(run(npm, ["pack", "--json", "--pack-destination", scratch], { cwd: project }))
  writeFileSync(join(scratch, "package.json"), JSON.stringify({ name: "scratch", private: true, type: "module" }))
  run(npm, ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", join(scratch, filename)], {
    env: { ...process.env, SKIP_FFMPEG: "true" },
  })
  run(process.execPath, [join(project, "examples", "make-files.ts"), join(scratch, "files")])
  run(process.execPath, [join(project, "examples", "sdk", "make-inputs.ts"), join(scratch, "inputs")])
  writeFileSync(join(scratch, "use.ts"), consumer)
  for (const name of examples) cpSync(join(project, "examples", "sdk", name), join(scratch, "sdk", name))
  writeFileSync(join(scratch, "sdk", "all.ts"), runExamples)
  run(process.execPath, [
    join(project, "node_modules", "typescript", "bin", "tsc"),
    ...["--noEmit", "--strict", "--target", "es2024", "--module", "nodenext", "--skipLibCheck", "--types", "node"],
    ...["--allowImportingTsExtensions", "--lib", "es2024,esnext.disposable"],
    ...["--typeRoots", join(project, "node_modules", "@types"), "use.ts", join("sdk", "all.ts")],
  ])
  const used = JSON.parse(run(process.execPath, ["use.ts"]).trim().split("\n").at(-1) ?? "")
  const { listed, done, failed } = used.items
  expectEqual("items of the library's run", { listed, done, failed }, { listed: 6, done: 6, failed: 0 })
  expectEqual("tables", used.tables, ["docs", "faulty", "points"])
  for (const medium of ["image", "other", "pdf", "text", "video"]) {
    if (!(used.rowsByMedium[medium] > 0))
      throw new Error(`No rows of medium ${medium}: ${JSON.stringify(used.rowsByMedium)}`)
  }
  const sluice = join("node_modules", "sluice", "dist", "cli", "main.js")
  const summary = JSON.parse(
    run(process.execPath, [
      sluice,
      "ingest",
      "./files",
      "--table",
      "again",
      "--uri",
      "./data",
      "--index",
      "text",
      "--json",
    ]),
  )
  expectEqual("rows of the command's run", summary.rowsByMedium, used.rowsByMedium)
  run(process.execPath, [sluice, "search", "again", "river", "--uri", "./data"])
  run(process.execPath, [sluice, "selftest", "--kills", "1"])
  for (const kind of ["source", "format", "normalizer", "sink"])
    run(process.execPath, [sluice, "create", kind, `own-${kind}`])
  run(process.execPath, [
    "--test",
    "own-source.test.ts",
    "own-format.test.ts",
    "own-normalizer.test.ts",
    "own-sink.test.ts",
  ])
  run(process.execPath, [join("sdk", "all.ts")], { env: { ...process.env, SLUICE_URI: "./sdk-data" } })
  console.log(`The package works: ${JSON.stringify(used.rowsByMedium)}`)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
