/** Log lines of a server: for people, or as JSON for programs that collect them. */
import { escapeJson, escapeText } from "./escape.ts"

export const LOG_FORMATS = ["text", "json"] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** Besides the message: the pipeline, the run, counts. */
export type LogFields = Readonly<Record<string, string | number>>

type Level = "info" | "warn" | "error"

export type Log = Readonly<Record<Level, (message: string, fields?: LogFields) => void>>

const textLine = (time: string, level: Level, message: string, { pipeline, ...fields }: LogFields): string => {
  const about = pipeline === undefined ? "" : `${pipeline}: `
  const rest = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`)
  return escapeText(`${time} ${level.padEnd(5)} ${about}${message}${rest.join("")}`)
}

const jsonLine = (time: string, level: Level, message: string, fields: LogFields): string =>
  escapeJson(JSON.stringify({ time, level, message, ...fields }))

/** `write` is given each line, without its end. */
export const openLog = (format: LogFormat, write: (line: string) => void): Log => {
  const line = format === "json" ? jsonLine : textLine
  const at =
    (level: Level) =>
    (message: string, fields: LogFields = {}): void =>
      write(line(new Date().toISOString(), level, message, fields))
  return { info: at("info"), warn: at("warn"), error: at("error") }
}
