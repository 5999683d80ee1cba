/** A value in a few words, for error messages. Never its whole content, which may be large or private. */
const MAX_TEXT = 40

const short = (text: string): string => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

export const describeValue = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return `the text ${JSON.stringify(short(value))}`
    case "number":
    case "boolean":
      return String(value)
    case "undefined":
      return "nothing"
    case "bigint":
      return `${short(String(value))}n`
    case "function":
    case "symbol":
      return `a ${typeof value}`
  }
  if (typeof value !== "object" || value === null) return "null"
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (Array.isArray(value)) return describeList(value)
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? "an invalid date" : `the date ${value.toISOString()}`
  const kind: string = Object.getPrototypeOf(value)?.constructor?.name ?? "Object"
  if (ArrayBuffer.isView(value) && "length" in value) return `a ${kind} of ${value.length} values`
  return kind === "Object" ? `an object (${short(Object.keys(value).join(", ")) || "empty"})` : `a ${kind}`
}

/** A list is meant to be one of numbers nearly always, so the first entry that is none is named. */
const describeList = (list: readonly unknown[]): string => {
  const odd = list.findIndex((entry) => typeof entry !== "number")
  const text = `a list of ${list.length} values`
  return odd < 0 || Array.isArray(list[odd]) ? text : `${text} with ${describeValue(list[odd])} at ${odd}`
}
