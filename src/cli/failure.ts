/** From what was thrown to a message and an exit code. */
import { CommanderError } from "commander"
import { ConfigError, ManagedServiceError } from "../model/errors.ts"
import type { Log } from "../observe/log.ts"
import { say } from "./console.ts"

/** 0: done. Interrupted runs end with 128 + the signal's number, as shells have it. */
export const FAILED = 1
export const BAD_CONFIGURATION = 2
export const TOO_MANY_FAILURES = 3

/** An error of the system (no access, no space left, ...) says enough; the store has it in its own errors' text. */
const isSystemError = (error: Error): boolean =>
  ("code" in error && "syscall" in error) || /\(os error \d+\)|\bOs \{ code: \d+/.test(error.message)

/** Problems that begin with a place in a file are left as editors and terminals know them. */
const isLocated = (message: string): boolean => /^\S+:\d+:\d+ /m.test(message)

interface Failure {
  readonly code: number
  /** Undefined where it has been told already. */
  readonly message: string | undefined
  /** What stands before the message. */
  readonly label: string
}

const failureOf = (error: unknown): Failure => {
  if (error instanceof CommanderError) {
    // Its message has been written already. Help that was asked for is no error.
    const asked = error.code === "commander.helpDisplayed" || error.code === "commander.version"
    return { code: asked ? 0 : BAD_CONFIGURATION, message: undefined, label: "" }
  }
  if (error instanceof ManagedServiceError || (error instanceof Error && isSystemError(error))) {
    const { message } = error
    const code = error instanceof ConfigError ? BAD_CONFIGURATION : FAILED
    return { code, message, label: isLocated(message) ? "" : "error: " }
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: FAILED, message: `This is a bug in sluice, please report it:\n${text}`, label: "" }
}

/** Tells what went wrong, on standard error, and gives the exit code for it. */
export const exitCodeOf = (error: unknown): number => {
  const { code, message, label } = failureOf(error)
  if (message !== undefined) say(`${label}${message}`)
  return code
}

/** The same in a log. */
export const logFailure = (error: unknown, log: Log): number => {
  const { code, message } = failureOf(error)
  if (message !== undefined) log.error(message)
  return code
}
