import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { formatChecks } from "sluice/testing"
import { ExampleThing } from "./format.ts"

const folder = mkdtempSync(join(tmpdir(), "example-thing-"))
after(() => rmSync(folder, { recursive: true }))

const path = join(folder, "sample.csv")
writeFileSync(path, Array.from({ length: 1200 }, (_, index) => `row ${index},${index / 2}\n`).join(""))

for (const { name, run } of formatChecks(() => new ExampleThing({ path }))) test(name, run)
