/** Durations and sizes as people write them: `60s`, `250ms`, `8MiB`. */

type Units = ReadonlyMap<string, number>

const MILLISECONDS: Units = new Map(Object.entries({ ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }))

const BYTES: Units = new Map(
  Object.entries({ b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }),
)

const parse = (value: unknown, units: Units): number | undefined => {
  if (typeof value === "number") return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== "string") return undefined
  const [, digits, unit = ""] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(value) ?? []
  const factor = units.get(unit.toLowerCase())
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor
}

/** Milliseconds of a number of milliseconds or a text such as `250ms`, `60s`, `5m`; undefined when it is neither. */
export const parseDuration = (value: unknown): number | undefined => parse(value, MILLISECONDS)

/** Bytes of a number of bytes or a text such as `64KiB`, `8MiB`, `1GB`; undefined when it is neither. */
export const parseBytes = (value: unknown): number | undefined => parse(value, BYTES)

/** `1.4 MiB`, for people. */
export const formatBytes = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let unit = 0
  let value = bytes
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
