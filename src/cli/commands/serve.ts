/** `sluice serve FOLDER|FILE...` */
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { ConfigError, ManagedServiceError, messageOf } from "../../model/errors.ts"
import type { Log, LogFormat } from "../../observe/log.ts"
import type { Environment } from "../environment.ts"
import { logFailure } from "../failure.ts"
import { openErrorLog } from "../running.ts"
import { openDocuments } from "../serve/documents.ts"
import { listen } from "../serve/http.ts"
import { openServer, type Server } from "../serve/server.ts"
import { drainOnSignals } from "../signals.ts"
import { openTraces } from "../tracing.ts"

interface ServeOptions {
  readonly port: number
  readonly host: string
  readonly http: boolean
  readonly concurrency: number
  readonly logFormat: LogFormat
  readonly strict?: boolean
}

/** Between two looks at the documents. */
const LOOK_MS = 500

const answer = async (server: Server, { host, port }: ServeOptions) => {
  try {
    return await listen({ host, port }, server.routes)
  } catch (error) {
    throw new ManagedServiceError(
      `Port ${port} of ${host} cannot be had: ${messageOf(error)}. Choose another one with --port (0: any that is free), or do without (--no-http)`,
      { cause: error },
    )
  }
}

/** `127.0.0.1:9464`, `[::1]:9464`. */
const formatAddress = ({ address, family, port }: AddressInfo): string =>
  family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`

const serve = async (paths: readonly string[], options: ServeOptions, env: Environment, log: Log): Promise<number> => {
  const documents = openDocuments(paths, env, options)
  const found = await documents.load()
  if (found.problems.length > 0) throw new ConfigError(found.problems.join("\n"))

  const tracing = await openTraces(env, (problem) => log.warn(problem))
  const server = openServer(log, options.concurrency, tracing)
  const http = options.http ? await answer(server, options) : undefined
  const stop = new AbortController()
  let ended = Promise.resolve()
  const cancel = ({ drain = true } = {}): void => {
    stop.abort()
    ended = server.stop({ drain })
  }
  const signals = drainOnSignals({ cancel }, (text) => log.info(text))
  if (http) {
    const address = formatAddress(http.address() as AddressInfo)
    log.info(`listening: http://${address} has ${[...server.routes.keys()].join(" ")}`)
  }
  server.serve(found)
  while (!stop.signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal: stop.signal }).catch(() => {})
    try {
      const changed = stop.signal.aborted ? undefined : await documents.look()
      if (changed) server.serve(changed)
    } catch (error) {
      server.unreadable(`The documents cannot be looked at: ${messageOf(error)}`)
    }
  }
  await ended
  await tracing?.close()
  signals.release()
  http?.close()
  http?.closeAllConnections()
  log.info("stopped")
  return signals.exitCode() ?? 0
}

/** Runs until a signal comes; gives the exit code for it. */
export const serveCommand = async (
  paths: readonly string[],
  options: ServeOptions,
  env: Environment,
): Promise<number> => {
  const log = openErrorLog(options.logFormat)
  try {
    return await serve(paths, options, env, log)
  } catch (error) {
    if (options.logFormat === "text") throw error
    return logFailure(error, log)
  }
}
