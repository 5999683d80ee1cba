/** The server's answers over HTTP: four addresses that can be read, and nothing that can be changed. */
import { createServer, type Server } from "node:http"
import { messageOf } from "../../model/errors.ts"

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
}

export type Route = (query: URLSearchParams) => Answer | Promise<Answer>

export const text = (status: number, body: string): Answer => ({
  status,
  type: "text/plain; charset=utf-8",
  body: `${body}\n`,
})

export const json = (status: number, value: unknown): Answer => ({
  status,
  type: "application/json; charset=utf-8",
  body: `${JSON.stringify(value)}\n`,
})

const answer = async (routes: ReadonlyMap<string, Route>, method: string, url: string): Promise<Answer> => {
  try {
    // What stands before the path is of no use here; a path like //x would be taken for it.
    const [path = "", query = ""] = url.split("?", 2)
    const route = routes.get(path)
    if (!route) return text(404, `there are ${[...routes.keys()].join(" ")}`)
    if (method !== "GET" && method !== "HEAD") return text(405, "expected GET")
    return await route(new URLSearchParams(query))
  } catch (error) {
    return text(500, messageOf(error))
  }
}

/** Resolves once requests are answered; rejects when the address cannot be had. */
export const listen = (
  address: { readonly host: string; readonly port: number },
  routes: ReadonlyMap<string, Route>,
): Promise<Server> => {
  const server = createServer(async (request, response) => {
    // Whoever asks may go away at any moment.
    response.on("error", () => {})
    const { status, type, body } = await answer(routes, request.method ?? "", request.url ?? "")
    response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) })
    response.end(request.method === "HEAD" ? undefined : body)
  })
  return new Promise((resolve, reject) => {
    server.once("error", reject)
    server.listen(address.port, address.host, () => {
      server.off("error", reject)
      resolve(server)
    })
  })
}
