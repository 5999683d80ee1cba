/** From what was thrown to a message and an exit code. */
import { CommanderError } from "commander"
import { ConfigError, ManagedServiceError } from "../model/errors.ts"
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

/** Tells what went wrong, on standard error, and gives the exit code for it. */
export const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) {
    // Its message has been written already. Help that was asked for is no error.
    return error.code === "commander.helpDisplayed" || error.code === "commander.version" ? 0 : BAD_CONFIGURATION
  }
  if (error instanceof ManagedServiceError || (error instanceof Error && isSystemError(error))) {
    say(isLocated(error.message) ? error.message : `error: ${error.message}`)
    return error instanceof ConfigError ? BAD_CONFIGURATION : FAILED
  }
  say(`This is a bug in sluice, please report it:\n${error instanceof Error ? error.stack : String(error)}`)
  return FAILED
}
