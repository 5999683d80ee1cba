import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { normalizerChecks } from "sluice/testing"
import { exampleThing } from "./normalizer.ts"

const folder = mkdtempSync(join(tmpdir(), "example-thing-"))
after(() => rmSync(folder, { recursive: true }))

const sample = join(folder, "sample.example_thing")
writeFileSync(sample, Array.from({ length: 30 }, (_, index) => `Paragraph ${index}, ünïcode too.`).join("\n\n"))

for (const { name, run } of normalizerChecks(exampleThing, [sample])) test(name, run)
