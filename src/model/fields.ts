/**
 * What a part of a pipeline document can say, as plain data: a component (source, format, sink) declares its fields
 * here, and the document's validation, its JSON Schema and the reference page come from them.
 */
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

/** Something that a document can name by `type`. */
export interface Component<T, Extra = void> {
  readonly type: string
  readonly description: string
  readonly fields: Fields
  /** `values` are checked; `extra` comes from elsewhere in the document. */
  readonly make: (values: ComponentValues, extra: Extra) => T
}

export const component = <const F extends Fields, T, Extra = void>(
  type: string,
  description: string,
  fields: F,
  make: (values: FieldValues<F>, extra: Extra) => T,
): Component<T, Extra> => ({
  type,
  description,
  fields,
  // Values come from the schema that is made of these very fields.
  make: (values, extra) => make(values as unknown as FieldValues<F>, extra),
})
