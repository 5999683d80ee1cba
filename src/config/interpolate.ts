import { findSecret, type Secret } from "./secrets.ts"

/**
 * Replacing `${VAR}` and `${VAR:-default}` in one text. As in a shell, the default also stands in for an empty value;
 * `$${` is a literal `${`. Secrets, `${secret:NAME}`, have no defaults.
 */

export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly text: string
  readonly problems: readonly string[]
  readonly secrets: readonly Secret[]
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

export const interpolate = (text: string, env: Environment): Interpolated => {
  const problems: string[] = []
  const secrets: Secret[] = []
  const resolveSecret = (name: string): string => {
    const found = findSecret(name, env)
    if (typeof found === "string") {
      problems.push(found)
      return ""
    }
    secrets.push(found)
    return found.value
  }
  const resolve = (inner: string, closed: boolean): string => {
    if (!closed) problems.push(`expected } at the end of $\{${inner}`)
    else if (inner.includes("${")) problems.push(`a default cannot hold another variable: $\{${inner}}`)
    else if (inner.startsWith("secret:")) return resolveSecret(inner.slice("secret:".length))
    else {
      const [, name, fallback] = VARIABLE.exec(inner) ?? []
      if (name === undefined) {
        problems.push(`expected $\{NAME} or $\{NAME:-default}, found $\{${inner}}`)
        return ""
      }
      // Own properties only: "constructor" and the like are no variables.
      const value = Object.hasOwn(env, name) ? env[name] : undefined
      if (fallback !== undefined) return value || fallback
      if (value !== undefined) return value
      problems.push(`environment variable ${name} is not set; set it, or give a default: $\{${name}:-...}`)
    }
    return ""
  }
  const replaced = text.replace(REFERENCE, (whole, inner: string | undefined, close: string | undefined) =>
    inner === undefined ? whole.slice(1) : resolve(inner, close === "}"),
  )
  return { text: replaced, problems, secrets }
}

/** Shorter values hide nothing, and would be found everywhere. */
const LEAST = 4

/**
 * Takes values out of messages: what a variable stands for may be a secret, wherever a document has put it. `replaced`
 * are values and the texts that they were made of, which are shown instead.
 */
export const hiding = (
  replaced: readonly (readonly [value: string, text: string])[],
): ((message: string) => string) => {
  const pairs = replaced
    .filter(([value]) => value.length >= LEAST)
    .toSorted(([a], [b]) => b.length - a.length)
    // Most messages show a text as JSON has it.
    .flatMap(([value, text]) =>
      [JSON.stringify(value).slice(1, -1), value, encodeURIComponent(value.toWellFormed())].map(
        (form) => [form, text] as const,
      ),
    )
  return (message) => pairs.reduce((shown, [value, text]) => shown.replaceAll(value, () => text), message)
}
