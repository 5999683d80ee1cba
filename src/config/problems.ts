/** What is wrong with a pipeline document, where, and what was probably meant. All of it is told at once. */
import { ConfigError } from "../model/errors.ts"

/** A position in the document, counted from 1; or the key that was overridden on the command line: its value may be secret. */
export type Place = { readonly line: number; readonly col: number } | { readonly override: string }

export type Path = readonly (string | number)[]

export interface Problem {
  readonly place: Place
  readonly path: Path
  readonly message: string
}

/** A problem before its place in the text is known. */
export interface Found {
  readonly path: Path
  /** The problem is with the key, not with the value. */
  readonly key?: true
  readonly message: string
}

/** More than this is no list for people; a document that has so many is broken as a whole. */
const MAX_SHOWN = 30

/** A value that is shown can be as long as the document. */
const MAX_LENGTH = 1000

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A value, as it is called in messages. */
export const describe = (value: unknown): string => {
  if (Array.isArray(value)) return "a list"
  if (isRecord(value)) return "a mapping"
  return value === null ? "nothing" : JSON.stringify(value)
}

/** The key that the message of an error begins with, where it does. */
export const keyOf = (message: string): Path => /^[a-z_.]+/.exec(message)?.[0].split(".") ?? []

/** `sink.uri`, `index[0]`. */
export const formatPath = (path: Path): string =>
  path.map((part, at) => (typeof part === "number" ? `[${part}]` : at === 0 ? part : `.${part}`)).join("")

export const formatProblem = (file: string, { place, path, message }: Problem): string => {
  const where = "override" in place ? `--set ${place.override}` : `${file}:${place.line}:${place.col}`
  const line = `${where}  ${path.length === 0 ? "" : `${formatPath(path)}: `}${message}`
  return line.length > MAX_LENGTH ? `${line.slice(0, MAX_LENGTH)}...` : line
}

/** One line a problem: `file:line:col  path: message`, in the document's order; overrides come last. */
export const problemsError = (file: string, problems: readonly Problem[]): ConfigError => {
  const key = ({ place }: Problem): number => ("override" in place ? Infinity : place.line * 1e7 + place.col)
  const sorted = problems.toSorted((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)))
  const lines = sorted.slice(0, MAX_SHOWN).map((problem) => formatProblem(file, problem))
  if (sorted.length > MAX_SHOWN) lines.push(`... and ${sorted.length - MAX_SHOWN} more problems`)
  return new ConfigError(lines.join("\n"))
}
