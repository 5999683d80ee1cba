import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { after, test } from "node:test"
import { sourceChecks } from "sluice/testing"
import { exampleThing } from "./source.ts"

const PAGES = [
  [
    { id: "a", text: "first" },
    { id: "b", text: "second" },
  ],
  [{ id: "c", text: "third" }],
]

const server = createServer((request, response) => {
  const page = Number(new URL(request.url ?? "", "http://127.0.0.1").searchParams.get("page"))
  response.end(JSON.stringify(PAGES[page - 1] ?? []))
}).listen(0, "127.0.0.1")
await once(server, "listening")
after(() => server.close())

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/records`
for (const { name, run } of sourceChecks(() => exampleThing({ url }))) test(name, run)
