import { readFileSync } from "node:fs"

/** That of the package. */
export const readVersion = (): string => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    readonly version: string
  }
  return version
}
