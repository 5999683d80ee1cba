/** Traces, as the environment asks for them: the variables that OpenTelemetry has defined for it. */
import { messageOf } from "../model/errors.ts"
import type { TraceSettings, Tracing } from "../observe/tracing.ts"
import type { Environment } from "./environment.ts"
import { VERSION } from "./package.ts"

const TIMEOUT = 10_000

/** Variables of the traces win over those for everything; an empty one is none. Gives the name, too. */
const firstOf = (env: Environment, ...names: readonly string[]): readonly [name: string, value: string] | undefined => {
  for (const name of names) {
    const value = env[name]?.trim()
    if (value) return [name, value]
  }
  return undefined
}

const exporter = (env: Environment, name: string) =>
  firstOf(env, `OTEL_EXPORTER_OTLP_TRACES_${name}`, `OTEL_EXPORTER_OTLP_${name}`)

const urlOf = (name: string, value: string): URL => {
  const url = URL.parse(value)
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Error(`${name}: expected an address such as http://localhost:4318`)
  }
  if (url.username !== "" || url.password !== "") {
    throw new Error(
      `${name}: expected an address without a password; what authorizes goes to OTEL_EXPORTER_OTLP_HEADERS`,
    )
  }
  return url
}

const endpoint = (env: Environment): string | undefined => {
  const own = firstOf(env, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
  if (own) return urlOf(...own).href
  const base = firstOf(env, "OTEL_EXPORTER_OTLP_ENDPOINT")
  if (!base) return undefined
  const url = urlOf(...base)
  url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/traces`
  return url.href
}

/** `key=value,key2=value2`, values percent-encoded. Values can be secrets: none is shown. */
const pairs = (found: readonly [name: string, value: string] | undefined): Record<string, string> => {
  if (!found) return {}
  const [name, text] = found
  const parts = text.split(",").filter((part) => part.trim() !== "")
  return Object.fromEntries(
    parts.map((part) => {
      const at = part.indexOf("=")
      const key = part.slice(0, at).trim()
      try {
        if (at < 1 || key === "") throw new URIError("no key")
        return [decodeURIComponent(key), decodeURIComponent(part.slice(at + 1).trim())]
      } catch {
        throw new Error(
          `${name}: expected key=value, with commas between several, and %2C for a comma inside of a value`,
        )
      }
    }),
  )
}

const oneOf = <T extends string>(found: readonly [string, string] | undefined, values: readonly T[], other: T): T => {
  if (!found) return other
  const [name, value] = found
  const known = values.find((one) => one === value.toLowerCase())
  if (known === undefined) throw new Error(`${name}: expected ${values.join(" or ")}, found ${JSON.stringify(value)}`)
  return known
}

const SAMPLERS = ["always_on", "always_off", "traceidratio"] as const

/** Each run is a trace of its own, without a parent: those samplers that ask one are what they are without it. */
const ratioOf = (env: Environment): number => {
  const names = SAMPLERS.flatMap((name) => [name, `parentbased_${name}`] as const)
  const sampler = oneOf(firstOf(env, "OTEL_TRACES_SAMPLER"), names, "parentbased_always_on")
  if (sampler.endsWith("always_off")) return 0
  if (sampler.endsWith("always_on")) return 1
  const [name, text] = firstOf(env, "OTEL_TRACES_SAMPLER_ARG") ?? ["OTEL_TRACES_SAMPLER_ARG", "1"]
  const ratio = Number(text)
  if (!(ratio >= 0 && ratio <= 1))
    throw new Error(`${name}: expected a number from 0 to 1, found ${JSON.stringify(text)}`)
  return ratio
}

const timeoutOf = (found: readonly [string, string] | undefined): number => {
  if (!found) return TIMEOUT
  const [name, text] = found
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    throw new Error(`${name}: expected milliseconds, found ${JSON.stringify(text)}`)
  }
  return Number(text)
}

/** Undefined where no traces are asked for. */
const readSettings = (env: Environment): TraceSettings | undefined => {
  if (env.OTEL_SDK_DISABLED?.trim().toLowerCase() === "true") return undefined
  const url = endpoint(env)
  if (url === undefined) return undefined
  if (oneOf(firstOf(env, "OTEL_TRACES_EXPORTER"), ["otlp", "none"], "otlp") === "none") return undefined
  const ratio = ratioOf(env)
  if (ratio === 0) return undefined
  const { "service.name": named, "service.version": _, ...resource } = pairs(firstOf(env, "OTEL_RESOURCE_ATTRIBUTES"))
  return {
    url,
    ratio,
    resource,
    protocol: oneOf(exporter(env, "PROTOCOL"), ["http/protobuf", "http/json"], "http/protobuf"),
    headers: pairs(exporter(env, "HEADERS")),
    compression: oneOf(exporter(env, "COMPRESSION"), ["gzip", "none"], "none"),
    timeout: timeoutOf(exporter(env, "TIMEOUT")),
    serviceName: firstOf(env, "OTEL_SERVICE_NAME")?.[1] ?? named ?? "sluice",
    serviceVersion: VERSION,
  }
}

/**
 * Traces where the environment asks for them; nothing is loaded where it does not. What is wrong about them is told, and
 * nothing is traced then: a run has more to do than to be watched.
 */
export const openTraces = async (env: Environment, tell: (problem: string) => void): Promise<Tracing | undefined> => {
  try {
    const settings = readSettings(env)
    if (!settings) return undefined
    const { openTracing } = await import("../observe/tracing.ts")
    return await openTracing(settings, tell)
  } catch (error) {
    tell(`nothing is traced: ${messageOf(error)}`)
    return undefined
  }
}
