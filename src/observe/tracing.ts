/**
 * Spans to an OpenTelemetry collector, over OTLP/HTTP. What Effect has for it is tagged unstable: it stays in this file,
 * which is loaded only where traces are asked for.
 *
 * A collector that is down, slow or refuses costs its spans and nothing else: it is told once, sending is given up for a
 * minute at a time, and the end waits for no more than {@link FLUSH_MS}.
 */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpSerialization from "effect/observability/OtlpSerialization"
import * as OtlpTracer from "effect/observability/OtlpTracer"
import * as Scope from "effect/Scope"
import type { AnySpan, Span } from "effect/Tracer"

export interface TraceSettings {
  /** Where spans are sent to: the whole address. */
  readonly url: string
  readonly protocol: "http/protobuf" | "http/json"
  readonly headers: Readonly<Record<string, string>>
  readonly compression: "gzip" | "none"
  /** Milliseconds that one request may take. */
  readonly timeout: number
  readonly serviceName: string
  readonly serviceVersion: string
  readonly resource: Readonly<Record<string, string>>
  /** The share of the runs that are traced, from 0 to 1. */
  readonly ratio: number
}

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** All times are in milliseconds since 1970. */
export interface TraceSpan {
  child(name: string, begun: number, attributes: Attributes): TraceSpan
  event(name: string, at: number, attributes: Attributes): void
  set(attributes: Attributes): void
  /** With `error`, the span failed of it. */
  end(at: number, error?: string): void
}

export interface Tracing {
  /** A trace of its own; undefined for one that is left out, as only a share of them is asked for. */
  trace(name: string, begun: number, attributes: Attributes): TraceSpan | undefined
  /** Sends what is left, and waits for it a little. */
  close(): Promise<void>
}

const EXPORT_MS = 5000
const FLUSH_MS = 2000
const BATCH = 512
/** The scope of our spans: the part of the program that makes them. */
const SCOPE = "sluice"

const nanoseconds = (milliseconds: number): bigint => BigInt(Math.round(milliseconds * 1000)) * 1000n

/** Whole numbers are 64 bits wide, which JSON has no numbers for. */
const toOtlp = (value: string | number | boolean): unknown =>
  typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value

const toOtlpAll = (attributes: Attributes): Record<string, unknown> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, toOtlp(value)]))

/** A `fetch` that ends, says once that the collector cannot be reached, and at the end does not try it again. */
const openFetch = (url: string, timeout: number, tell: (problem: string) => void) => {
  let told = false
  let closing = false
  const complain = (why: string): void => {
    const { origin, pathname } = new URL(url)
    if (!told) tell(`traces cannot be sent to ${origin}${pathname}: ${why}`)
    told = true
  }
  const reasonOf = (error: unknown): string => {
    if (!(error instanceof Error)) return String(error)
    if (error.name === "TimeoutError") return `no answer within ${timeout / 1000} s`
    return error.cause instanceof Error ? error.cause.message || String(error.cause) : error.message
  }
  const send: typeof fetch = async (input, init) => {
    const own = AbortSignal.timeout(timeout)
    const signal = init?.signal ? AbortSignal.any([init.signal, own]) : own
    try {
      // A redirect would take the headers, which may be secrets, to somebody else.
      const response = await fetch(input, { ...init, signal, redirect: "error" })
      if (!response.ok) complain(`${response.status} ${response.statusText}`.trimEnd())
      return response.ok || !closing ? response : new Response(null, { status: 400 })
    } catch (error) {
      if (!init?.signal?.aborted) complain(reasonOf(error))
      // What fails like this is not tried again.
      if (closing) return new Response(null, { status: 400 })
      throw error
    }
  }
  return {
    send,
    close: (): void => {
      closing = true
    },
  }
}

/** Spans as the protocol has them, in our own scope. */
const serialization = (protocol: TraceSettings["protocol"], version: string) => {
  const inner = protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf
  const named = Effect.map(OtlpSerialization.OtlpSerialization, (own) => ({
    ...own,
    traces: (data: Parameters<typeof own.traces>[0]) =>
      own.traces({
        resourceSpans: data.resourceSpans.map(({ scopeSpans, ...rest }) => ({
          ...rest,
          scopeSpans: scopeSpans.map(({ spans }) => ({ scope: { name: SCOPE, version }, spans })),
        })),
      }),
  }))
  return Layer.provide(Layer.effect(OtlpSerialization.OtlpSerialization, named), inner)
}

export const openTracing = async (settings: TraceSettings, tell: (problem: string) => void): Promise<Tracing> => {
  const { url, headers, compression, serviceName, serviceVersion, resource, ratio } = settings
  const http = openFetch(url, settings.timeout, tell)
  const scope = Scope.makeUnsafe()
  const tracer = await Effect.runPromise(
    OtlpTracer.make({
      url,
      headers,
      compression,
      resource: { serviceName, serviceVersion, attributes: { ...resource } },
      exportInterval: EXPORT_MS,
      maxBatchSize: BATCH,
      shutdownTimeout: FLUSH_MS,
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          serialization(settings.protocol, serviceVersion),
          FetchHttpClient.layer,
          OtlpExporter.layerFlusher,
          Layer.succeed(FetchHttpClient.Fetch, http.send),
          // Whoever calls has read the environment.
          ConfigProvider.layer(ConfigProvider.fromUnknown({})),
        ),
      ),
      Scope.provide(scope),
    ),
  )

  const open = (name: string, parent: AnySpan | undefined, begun: number, attributes: Attributes): TraceSpan => {
    const span: Span = tracer.span({
      name,
      parent: Option.fromUndefinedOr(parent),
      annotations: Context.empty(),
      links: [],
      startTime: nanoseconds(begun),
      kind: "internal",
      root: parent === undefined,
      sampled: true,
    })
    const set = (more: Attributes): void => {
      for (const [key, value] of Object.entries(more)) span.attribute(key, toOtlp(value))
    }
    set(attributes)
    return {
      child: (childName, at, more) => open(childName, span, at, more),
      event: (event, at, more) => span.event(event, nanoseconds(at), toOtlpAll(more)),
      set,
      end: (at, error) => span.end(nanoseconds(at), error === undefined ? Exit.void : Exit.fail(error)),
    }
  }

  return {
    trace: (name, begun, attributes) => (Math.random() < ratio ? open(name, undefined, begun, attributes) : undefined),
    close: async () => {
      http.close()
      await Effect.runPromise(Scope.close(scope, Exit.void))
    },
  }
}
