/** One variant of one question, in a process of its own: `one.ts QUESTION VARIANT INPUT OUTPUT`. */
import type { Question } from "./harness.ts"

const [question = "", variant = "", input = "", output = ""] = process.argv.slice(2)
const { default: loaded } = (await import(`./${question}.ts`)) as { default: Question }
const run = loaded.variants[variant]
if (!run) throw new Error(`${question} has no variant ${variant}`)
const started = performance.now()
await run(input, output)
console.log(`seconds ${(performance.now() - started) / 1000}`)
