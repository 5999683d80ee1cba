/**
 * The errors that Sluice throws. Each message says what was expected, what was found, where, and what to do.
 *
 * The class names and the fixed messages ("Table already exists", "File not found", ...) are those of the SDK that
 * Sluice re-creates, so that handlers written for it go on working.
 */

/** Base class of everything that Sluice throws on purpose. */
export class ManagedServiceError extends Error {
  override get name(): string {
    return this.constructor.name
  }
}

/** Who you are could not be established. */
export class AuthError extends ManagedServiceError {}

/** The token is missing, malformed or expired. */
export class TokenError extends AuthError {}

/** Credentials for a store are missing or refused. */
export class CredentialsError extends ManagedServiceError {}

/** Data could not be read, normalized or written. */
export class IngestError extends ManagedServiceError {}

/** A table is missing, exists already, is held by another writer, or does not fit. */
export class TableError extends ManagedServiceError {}

export class WorkspaceError extends ManagedServiceError {}

/** A pipeline, an option or a schema is wrong. Nothing has been written. */
export class ConfigError extends ManagedServiceError {}

/** A failure that ends the run whatever the error budget says: disk full, access refused. The last commit stands. */
export class FatalError extends IngestError {}

/** The text of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const FATAL_CODES = new Set(["ENOSPC", "EDQUOT", "EROFS"])

/** Errors that no other item would escape: the disk is full, the store refuses to be written, access is refused. */
export const isFatal = (error: unknown): boolean =>
  error instanceof FatalError ||
  error instanceof AuthError ||
  (error instanceof Error && "code" in error && typeof error.code === "string" && FATAL_CODES.has(error.code)) ||
  /No space left on device|os error 28/i.test(messageOf(error))
