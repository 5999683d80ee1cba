/** Options that several commands have, and what values of options are read by. */
import { InvalidArgumentError, Option } from "commander"
import type { Environment } from "./environment.ts"

export const FORMATS = ["table", "json", "csv"] as const
export type Format = (typeof FORMATS)[number]

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

export const names = (text: string): readonly string[] => text.split(",").map((name) => name.trim())

export const count = (text: string): number => {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError("Expected a whole number.")
}

export const atLeastOne = (text: string): number => {
  if (count(text) > 0) return count(text)
  throw new InvalidArgumentError("Expected a whole number of at least 1.")
}

export const port = (text: string): number => {
  if (count(text) < 2 ** 16) return count(text)
  throw new InvalidArgumentError("Expected a port, from 0 to 65535.")
}

export const uriOption = (env: Environment): Option =>
  new Option("--uri <folder>", "folder of the database; SLUICE_URI gives another default").default(
    env.SLUICE_URI || "./data",
  )

export const formatOption = (): Option =>
  new Option("--format <format>", "how to print the result").choices(FORMATS).default("table" satisfies Format)

/** Of commands that read a table. */
export const atOption = (): Option =>
  new Option("--at <version>", "the table as it was at a version, by its number or a tag")

export const strictOption = (): Option =>
  new Option("--strict", "refuse secrets in plain text: passwords, tokens and keys belong into $" + "{secret:NAME}")

export const setOption = (): Option =>
  new Option("--set <key=value>", "override a value, such as sink.table=docs (repeatable)").argParser(collect)
