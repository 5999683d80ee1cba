/**
 * The times that a cron expression names in a time zone. Effect reads the fields and finds the next wall-clock time;
 * which instant that is, when clocks are changed, is decided here:
 *
 * - an expression that names every hour (`15 * * * *`) goes by elapsed time: nothing is left out, nothing comes twice;
 * - any other names times of the day. One that is skipped is the next instant that exists; one that comes twice is the first.
 */
import * as Cron from "effect/Cron"
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import { ConfigError } from "../model/errors.ts"
import { nearest, suggest } from "../model/suggest.ts"

export interface Times {
  /** As it was given. */
  readonly cron: string
  readonly timezone: string
  /** The first instant after the given one, both in milliseconds since 1970. */
  next(after: number): number
}

const NAMED: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
}

const FIELDS = [
  ["second", "0 to 59"],
  ["minute", "0 to 59"],
  ["hour", "0 to 23"],
  ["day", "1 to 31"],
  ["month", "1 to 12 or jan to dec"],
  ["weekday", "0 to 7 or sun to sat; 0 and 7 are Sunday"],
] as const

/** The six fields of an expression. */
const readFields = (text: string): readonly string[] => {
  const given = text.trim().toLowerCase()
  if (given.startsWith("@") && !Object.hasOwn(NAMED, given)) {
    throw new ConfigError(`unknown name ${JSON.stringify(text)}${suggest(given, Object.keys(NAMED))}`)
  }
  const fields = (NAMED[given] ?? given).split(/\s+/)
  if (fields.length === 5) return ["0", ...fields]
  if (fields.length === 6) return fields
  throw new ConfigError(
    `expected five fields (minute, hour, day, month, weekday), six with seconds before them, or a name such as @daily, found ${JSON.stringify(text)}`,
  )
}

const parseFields = (fields: readonly string[], text: string): Cron.Cron => {
  for (const [at, [name, range]] of FIELDS.entries()) {
    const alone = FIELDS.map((_, other) => (other === at ? (fields[at] ?? "") : "*"))
    if (Result.isFailure(Cron.parse(alone.join(" "), "UTC"))) {
      throw new ConfigError(
        `${name}: expected ${range}, as *, a value, a list (1,2), a range (1-5) or steps (*/2), found ${JSON.stringify(fields[at])}`,
      )
    }
  }
  const cron = Cron.parseUnsafe(fields.join(" "), "UTC")
  try {
    Cron.next(cron, 0)
  } catch {
    throw new ConfigError(`${JSON.stringify(text)} names no time at all: there is no such day`)
  }
  return cron
}

/** @throws {ConfigError} for a name that is no time zone. */
export const checkTimeZone = (name: string): void => {
  if (DateTime.zoneMakeNamed(name)._tag === "Some") return
  const zones = Intl.supportedValuesOf("timeZone")
  const city = (zone: string): string => zone.slice(zone.lastIndexOf("/") + 1)
  const near = nearest(city(name), zones.map(city))
  const meant = nearest(name, zones) ?? zones.find((zone) => city(zone) === near)
  const expected = "expected a time zone of the IANA database"
  throw new ConfigError(
    meant === undefined
      ? `${expected}, such as Europe/Berlin or UTC, found ${JSON.stringify(name)}`
      : `${expected}, found ${JSON.stringify(name)}; did you mean ${JSON.stringify(meant)}?`,
  )
}

const DAY = 86_400_000

/** What a time zone's clocks show; wall-clock times are milliseconds as if they were UTC. */
const clocksOf = (timezone: string) => {
  const zone = DateTime.zoneMakeNamedUnsafe(timezone)
  const offset = (instant: number): number =>
    DateTime.zonedOffset(DateTime.makeZonedUnsafe(instant, { timeZone: zone }))

  /** The first instant at which the offset is not any more what it was at `from`, known to have changed by `to`. */
  const change = (from: number, to: number): number => {
    const before = offset(from)
    let [low, high] = [from, to]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (offset(middle) === before) low = middle
      else high = middle
    }
    return high
  }

  return {
    wall: (instant: number): number => instant + offset(instant),
    /** The instant of a wall-clock time: the first of two, and where there is none, the next that exists. */
    instant: (wall: number): number => {
      // No offset is as long as a day, and no zone changes its clocks twice within two.
      const before = wall - offset(wall - DAY)
      if (offset(before) === wall - before) return before
      const after = wall - offset(wall + DAY)
      return offset(after) === wall - after ? after : change(wall - DAY, wall + DAY)
    },
  }
}

/**
 * Reads a cron expression: five fields, six with seconds before them, or a name such as `@daily`.
 *
 * @throws {ConfigError} that names the field that is wrong, or the time zone.
 */
export const parseCron = (text: string, timezone = "UTC"): Times => {
  const fields = readFields(text)
  const cron = parseFields(fields, text)
  checkTimeZone(timezone)
  const hours = cron.hours.size
  if (hours === 0 || hours === 24) {
    const everyHour = Cron.parseUnsafe(fields.join(" "), timezone, { onDstOverlap: "both" })
    const next = (after: number): number => {
      let found = Cron.next(everyHour, after)
      // Around a time that is skipped, Effect has one that only stands in for it.
      while (!Cron.match(everyHour, found)) found = Cron.next(everyHour, found)
      return found.getTime()
    }
    return { cron: text, timezone, next }
  }
  const { wall, instant } = clocksOf(timezone)
  const next = (after: number): number => {
    let time = wall(after)
    for (;;) {
      time = Cron.next(cron, time).getTime()
      const found = instant(time)
      // Clocks that were put back show times that have been already.
      if (found > after) return found
    }
  }
  return { cron: text, timezone, next }
}

/** The next times after an instant. */
export const nextTimes = (times: Times, after: number, count: number): readonly number[] => {
  const found: number[] = []
  for (let at = after; found.length < count; found.push(at)) at = times.next(at)
  return found
}

/** `2026-11-22 03:00:00 GMT+1`: what the clocks of a time zone show at an instant. */
export const formatTime = (instant: number, timezone: string): string => {
  const format = new Intl.DateTimeFormat("sv", { timeZone: timezone, dateStyle: "short", timeStyle: "long" })
  return format.format(instant)
}
