/** A feed: a source together with the code that makes rows of its items. It is what a run is fed with. */
import { createHash } from "node:crypto"
import type { Item, Plain } from "./item.ts"
import type { Code, Lane } from "./normalizer.ts"
import type { Source } from "./source.ts"
import type { SchemaMap } from "./types.ts"

export interface Feed<S extends SchemaMap = SchemaMap> {
  readonly source: Source
  readonly code: Code
  /** Where each item is normalized, and what besides its fingerprint shapes its rows: see {@link Route}. */
  readonly route: (item: Item) => Route
  /** All columns and their types, where they are known before a row is read: a pipeline is checked against them. */
  readonly columnTypes?: S
}

export interface Route {
  readonly lane: Lane
  /** Another recipe is another version of the item: see {@link recipeOf}. */
  readonly recipe: string
}

/** What `_version` says in the item's rows. */
export const versionOf = (item: Item, { recipe }: Route): string => `${item.version}-${recipe}`

/** A short name of everything that shapes rows: who makes them, at which revision, with which options. */
export const recipeOf = (...parts: readonly Plain[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 8)
