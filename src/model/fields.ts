/**
 * What a part of a pipeline document can say, as plain data: a component (source, format, sink) declares its fields
 * here, and the document's validation, its JSON Schema and the reference page come from them.
 */
import { ConfigError } from "./errors.ts"
import type { OptionSpec } from "./options.ts"

type OfOption<S> = S extends OptionSpec ? Omit<S, "default"> & { readonly default?: S["default"] } : never

type Kind =
  | OfOption<OptionSpec>
  /** Text that is not empty; `check` throws for text that does not do, and its message becomes the problem. */
  | {
      readonly type: "text"
      readonly default?: string
      readonly check?: (text: string) => void
      /** Takes `false`, too: there is a default, and none is wanted. */
      readonly orFalse?: true
    }
  /** One text, or a list of them. */
  | { readonly type: "texts"; readonly default?: readonly string[] }

/** A field is required unless it has a default or is optional. */
export type Field = Kind & {
  readonly description: string
  readonly optional?: true
  /** A token or a password: a document can name it as `${secret:NAME}`, and it is taken out of all messages. */
  readonly secret?: true
  /** The environment variable that gives the default, where it is set. */
  readonly variable?: string
}
export type Fields = Readonly<Record<string, Field>>

/** A field's value once it is checked: durations in milliseconds, sizes in bytes. */
export type FieldValue<F extends Field> = F extends { readonly type: "texts" }
  ? string | readonly string[]
  : F extends { readonly type: "boolean" }
    ? boolean
    : F extends { readonly type: "choice"; readonly choices: readonly (infer C)[] }
      ? C
      : F extends { readonly type: "text"; readonly orFalse: true }
        ? string | false
        : F extends { readonly type: "text" | "string" }
          ? string
          : number

type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends { readonly optional: true } ? K : never }[keyof F]

export type FieldValues<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalKeys<F>>]: FieldValue<F[K]>
} & { readonly [K in OptionalKeys<F>]?: FieldValue<F[K]> }

/** What a document says of one component, checked against the fields of its type, with their defaults. */
export interface ComponentValues {
  readonly type: string
  readonly [field: string]: unknown
}

/** What its author says of a component: a source, a format or a sink that documents name by `type`. */
export interface Spec<F extends Fields, T, Extra> {
  /** Lower case, with underscores: `rss_feed`. */
  readonly type: string
  /** One sentence for `sluice list`, the reference and editors. */
  readonly description: string
  /** What a document can say of it, in lower case with underscores; from them come its validation and its JSON Schema. */
  readonly fields: F
  /** Called with checked values, where the defaults are filled in; `extra` comes from elsewhere in the document. */
  readonly make: (values: FieldValues<F>, extra: Extra) => T
}

/** What plugins can have, and the reference lists. */
export const COMPONENT_KINDS = ["source", "format", "normalizer", "sink"] as const
export type ComponentKind = (typeof COMPONENT_KINDS)[number]

/** Something that a document can name by `type`. */
export interface Component<Kind extends string, T, Extra = void> {
  readonly kind: Kind
  readonly type: string
  readonly description: string
  readonly fields: Fields
  readonly make: (values: ComponentValues, extra: Extra) => T
}

/** What documents call things. */
const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/

/** @throws {ConfigError} for a name that documents cannot have, or that is taken. */
export const checkName = (what: string, name: string, taken: readonly string[] = []): void => {
  if (!NAME.test(name)) {
    throw new ConfigError(`${what}: expected a name such as "rss_feed", found ${JSON.stringify(name)}`)
  }
  if (taken.includes(name)) {
    throw new ConfigError(`${what}: the name ${JSON.stringify(name)} means something else already; take another`)
  }
}

/** Says what a component is; the four contracts give it to authors as `Source.define` and so on. */
export const define = <Kind extends string, F extends Fields, T, Extra>(
  kind: Kind,
  { type, description, fields, make }: Spec<F, T, Extra>,
): Component<Kind, T, Extra> => {
  checkName(`${kind}.type`, type)
  // A document says with them which component it means, and, of a sink, how its rows are written.
  const taken = kind === "sink" ? ["type", "mode", "max_delete_ratio"] : ["type"]
  for (const name of Object.keys(fields)) checkName(`${kind} ${type}: field`, name, taken)
  return {
    kind,
    type,
    description,
    fields,
    // Values come from the schema that is made of these very fields.
    make: (values, extra) => make(values as unknown as FieldValues<F>, extra),
  }
}
