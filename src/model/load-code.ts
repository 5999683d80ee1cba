/** Loads the code of a feed, by the module and the name that it is known by. */
import type { Code, Normalize } from "./normalizer.ts"

const loaded = new Map<string, Promise<Normalize>>()

/** @throws {Error} when the module cannot be loaded, or exports no such function. */
export const loadCode = async (code: Code): Promise<Normalize> => {
  if ("normalize" in code) return code.normalize
  const key = `${code.module}#${code.name}`
  let normalize = loaded.get(key)
  if (!normalize) {
    normalize = import(code.module).then((module: Record<string, unknown>) => {
      const found = module[code.name]
      if (typeof found !== "function") throw new Error(`${code.module} exports no function "${code.name}"`)
      return found as Normalize
    })
    loaded.set(key, normalize)
  }
  return normalize
}
