/** Errors of which something must not be told. */

export type Hide = (text: string) => string

/** The same error, with what must not be told taken out of its message, its stack and its causes. */
export const withHiddenMessage = (error: unknown, hide: Hide): unknown => {
  if (typeof error === "string") return hide(error)
  if (!(error instanceof Error)) return error
  for (const key of ["message", "stack"] as const) {
    const text = error[key]
    const shown = text === undefined ? text : hide(text)
    // Those of the platform cannot be assigned to.
    if (shown !== text) Object.defineProperty(error, key, { value: shown, configurable: true, writable: true })
  }
  if (error.cause !== undefined) error.cause = withHiddenMessage(error.cause, hide)
  return error
}
