/**
 * `npm run bench [QUESTION...] [-- --runs N]`: answers the questions (default: all) and writes the figures to
 * `bench/results/DATE.md`.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs"
import { cpus, tmpdir, totalmem } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { compare, median, type Question } from "./harness.ts"

const HELPERS = [
  "harness.ts",
  "one.ts",
  "main.ts",
  "inputs.ts",
  "bare.ts",
  "bare-video.ts",
  "disk.ts",
  "coco-inputs.ts",
  "lerobot-inputs.ts",
  "memory.ts",
  "memory-tabular.ts",
  "memory-export.ts",
  "memory-sync.ts",
  "many-items.ts",
  "query-inputs.ts",
  "search-inputs.ts",
]

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "5" } },
  allowPositionals: true,
})
const all = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts") && !HELPERS.includes(name))
const questions = positionals.length > 0 ? positionals : all.map((name) => name.slice(0, -3)).sort()

const lines = [
  `# ${new Date().toISOString().slice(0, 10)}`,
  "",
  `${cpus().length} × ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}; median of ${values.runs} runs, each a process of its own, in turn.`,
  "",
  "| question | against | ours | theirs | ratio | to reach | peak memory, ours |",
  "|---|---|---|---|---|---|---|",
]
for (const name of questions) {
  const { default: question } = (await import(`./${name}.ts`)) as { default: Question }
  const input = join(tmpdir(), `sluice-bench-${name}`)
  if (!existsSync(join(input, ".done"))) {
    mkdirSync(input, { recursive: true })
    await question.prepare(input)
    writeFileSync(join(input, ".done"), "")
  }
  const figures = await compare(name, Object.keys(question.variants), input, Number(values.runs))
  const ours = median(figures.sluice?.seconds ?? [])
  for (const [variant, { seconds }] of Object.entries(figures)) {
    if (variant === "sluice") continue
    const theirs = median(seconds)
    const line = `| ${question.title} | ${variant} | ${ours.toFixed(2)} s | ${theirs.toFixed(2)} s | ${(theirs / ours).toFixed(2)} | ${question.goals[variant] ?? ""} | ${Math.round(median(figures.sluice?.memory ?? []))} MiB |`
    lines.push(line)
    console.log(line)
  }
}
const results = join(import.meta.dirname, "results", `${new Date().toISOString().slice(0, 10)}.md`)
if (positionals.length === 0) writeFileSync(results, `${lines.join("\n")}\n`)
