/** Columns as the compiler knows them: the values that a stage is given, and those that it may give. */
import type { Value } from "./column.ts"
import type { LayoutOf, SchemaMap, TypeName } from "./types.ts"

/** Values as they are read. */
interface LayoutValues {
  readonly int32: number
  readonly int64: bigint
  readonly float32: number
  readonly float64: number
  readonly bits: boolean
  readonly utf8: string
  readonly bytes: Uint8Array
  readonly vector: Float32Array
  readonly floats: Float32Array
  readonly vectors: readonly Float32Array[]
}

type Numbers =
  | readonly number[]
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint16Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** Values as they are taken. */
interface LayoutInputs {
  readonly int32: number | bigint
  readonly int64: number | bigint
  readonly float32: number | bigint
  readonly float64: number | bigint
  readonly bits: boolean
  readonly utf8: string | Date
  readonly bytes: Uint8Array | Uint8ClampedArray | ArrayBuffer
  readonly vector: Numbers
  readonly floats: Numbers
  readonly vectors: readonly Numbers[]
}

type NameOf<T extends string> = Uppercase<T> extends `${infer Name extends WideName}(${number})` ? Name : Uppercase<T>

type WideName = "EMBEDDING" | "MULTI_EMBEDDING"

/**
 * The JavaScript value of a column type; that of a type which the compiler does not know can be any.
 *
 * @example
 * ```ts
 * const vector: ValueOf<"EMBEDDING(3)"> = new Float32Array(3)
 * const id: ValueOf<"INT64"> = 1n
 * ```
 */
export type ValueOf<T extends string> =
  NameOf<T> extends TypeName ? LayoutValues[LayoutOf<NameOf<T>>] : NonNullable<Value>

/** What a stage can say of a column that it gives; a vector has a width from the start. */
export type StageType = Exclude<TypeName, WideName> | `${WideName}(${number})`

type CellsOf<T extends StageType, Layout extends keyof LayoutInputs = LayoutOf<NameOf<T> & TypeName>> =
  | readonly ((T extends "JSON" ? unknown : LayoutInputs[Layout]) | null | undefined)[]
  | (number extends LayoutInputs[Layout] ? Numbers | BigInt64Array | BigUint64Array : never)

/** Columns of the given types, as a stage may give them: a value a row, null where there is none. */
export type ColumnsOf<M extends Readonly<Record<string, StageType>>> = { readonly [Name in keyof M]: CellsOf<M[Name]> }

declare const name: unique symbol

/** What no value is: the compiler shows the name of the column together with it. */
interface Undeclared<Name> {
  readonly [name]: Name
}

/** No other columns than those of `M`. */
export type Only<Given, M> = Given & { readonly [Name in Exclude<keyof Given, keyof M>]: Undeclared<Name> }

/** The columns of `S` with those of `M` added, or in the place of such as have their names. */
export type With<S extends SchemaMap, M extends SchemaMap> = Flat<
  { readonly [Name in keyof S as Name extends keyof M ? never : Name]: S[Name] } & M
>

type Flat<T> = { readonly [Name in keyof T]: T[Name] }
