/** The components that documents can name: those of Sluice, and those of plugins. */
import type { WriteMode } from "../engine/plan.ts"
import { FORMATS } from "../formats/index.ts"
import { ConfigError } from "../model/errors.ts"
import { COMPONENT_KINDS, type ComponentValues, type Fields } from "../model/fields.ts"
import type { FormatComponent } from "../model/format.ts"
import type { Normalizer } from "../model/normalizer.ts"
import type { SinkComponent } from "../model/sink.ts"
import type { SourceComponent } from "../model/source.ts"
import { NORMALIZERS } from "../normalizers/index.ts"
import { SINKS } from "../sinks/index.ts"
import { SOURCES } from "../sources/index.ts"

export interface Registry {
  readonly sources: readonly SourceComponent[]
  readonly formats: readonly FormatComponent[]
  readonly sinks: readonly SinkComponent[]
  /** Those of plugins come first: a file goes to the first that takes it. */
  readonly normalizers: readonly Normalizer[]
}

/** How rows are written; it is the run's, but stands with the sink. */
const WRITING = {
  mode: {
    type: "choice",
    choices: ["append", "error", "replace", "sync"],
    default: "append",
    description:
      "Add what is new (`append`), refuse a table that exists (`error`), replace all rows (`replace`), or follow the source: new, changed and vanished items (`sync`).",
  },
  max_delete_ratio: {
    type: "number",
    min: 0,
    max: 1,
    optional: true,
    description: "`sync` removes at most this share of the items; where more have vanished, none. Default 0.2.",
  },
} as const satisfies Fields

export interface SinkValues extends ComponentValues {
  readonly mode: WriteMode
  readonly max_delete_ratio?: number
}

const writable = (sink: SinkComponent): SinkComponent => ({ ...sink, fields: { ...sink.fields, ...WRITING } })

export const BUILT_IN: Registry = {
  sources: SOURCES,
  formats: FORMATS,
  sinks: SINKS.map(writable),
  normalizers: NORMALIZERS,
}

type Defined = SourceComponent | FormatComponent | SinkComponent | Normalizer

const isDefined = (value: unknown): value is Defined =>
  typeof value === "object" && value !== null && "kind" in value && COMPONENT_KINDS.some((kind) => kind === value.kind)

const nameOf = (defined: Defined): string => (defined.kind === "normalizer" ? defined.name : defined.type)

/**
 * The registry with what a module exports that was made by `Source.define`, `Format.define`, `Normalizer.define` or
 * `Sink.define`.
 *
 * @throws {ConfigError} when a name is taken.
 */
export const withPlugin = (
  registry: Registry,
  plugin: string,
  exported: Readonly<Record<string, unknown>>,
): Registry => {
  // What is exported by two names is one component.
  const defined = [...new Set(Object.values(exported).filter(isDefined))]
  const add = <D extends Defined>(known: readonly D[], kind: D["kind"]): D[] => {
    const own = defined.filter((one): one is D => one.kind === kind)
    for (const [index, one] of own.entries()) {
      if ([...known, ...own.slice(0, index)].some((other) => nameOf(other) === nameOf(one))) {
        throw new ConfigError(
          `plugin ${JSON.stringify(plugin)}: expected a ${kind} of a name of its own, found another ${JSON.stringify(nameOf(one))}`,
        )
      }
    }
    return own
  }
  const normalizers = add(registry.normalizers, "normalizer")
  return {
    sources: [...registry.sources, ...add(registry.sources, "source")],
    formats: [...registry.formats, ...add(registry.formats, "format")],
    sinks: [...registry.sinks, ...add(registry.sinks, "sink").map(writable)],
    normalizers: [...normalizers, ...registry.normalizers],
  }
}
