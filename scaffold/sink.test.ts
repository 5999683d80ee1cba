import { test } from "node:test"
import { sinkChecks } from "sluice/testing"
import { exampleThing } from "./sink.ts"

for (const { name, run } of sinkChecks((folder) => exampleThing({ folder, table: "t" }))) test(name, run)
