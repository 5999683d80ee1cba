/** Times of cron expressions, checked against all instants around changes of clocks, read off one by one. */
import { describe, expect, it } from "vitest"
import { ConfigError } from "../../src/model/errors.ts"
import { nextTimes, parseCron } from "../../src/schedule/cron.ts"

const times = (cron: string, timezone: string, after: string, count: number): string[] =>
  nextTimes(parseCron(cron, timezone), Date.parse(after), count).map((at) => new Date(at).toISOString().slice(0, 19))

describe("the next times", () => {
  it.each([
    ["0 3 * * *", "2026-12-31T03:00:00Z", ["2027-01-01T03:00:00", "2027-01-02T03:00:00"]],
    [
      "*/20 9-10 * * MON-fri",
      "2026-11-20T10:00:00Z",
      ["2026-11-20T10:20:00", "2026-11-20T10:40:00", "2026-11-23T09:00:00"],
    ],
    ["*/30 * * * * *", "2026-11-20T23:59:15Z", ["2026-11-20T23:59:30", "2026-11-21T00:00:00"]],
    ["0 0 29 feb *", "2026-01-01T00:00:00Z", ["2028-02-29T00:00:00", "2032-02-29T00:00:00"]],
    // Either of day and weekday, as every cron has it; both where one of them begins with *.
    ["0 0 13 * 5", "2026-11-01T00:00:00Z", ["2026-11-06T00:00:00", "2026-11-13T00:00:00", "2026-11-20T00:00:00"]],
    ["0 0 1-7,15 1,7 *", "2026-07-06T12:00:00Z", ["2026-07-07T00:00:00", "2026-07-15T00:00:00", "2027-01-01T00:00:00"]],
    ["0 0 * * 7", "2026-11-20T00:00:00Z", ["2026-11-22T00:00:00", "2026-11-29T00:00:00"]],
    ["@monthly", "2026-11-20T00:00:00Z", ["2026-12-01T00:00:00", "2027-01-01T00:00:00"]],
    ["@Hourly", "2026-11-20T00:00:00Z", ["2026-11-20T01:00:00"]],
  ])("of %s", (cron, after, expected) => {
    expect(times(cron, "UTC", after, expected.length)).toEqual(expected)
  })

  it("are those of the time zone", () => {
    expect(times("30 9 * * *", "Asia/Kolkata", "2026-11-20T00:00:00Z", 1)).toEqual(["2026-11-20T04:00:00"])
    expect(times("0 3 * * *", "America/New_York", "2026-07-01T00:00:00Z", 1)).toEqual(["2026-07-01T07:00:00"])
  })
})

/** What the clocks of a zone show, as if it were UTC. */
const wallClock = (timezone: string) => {
  const format = new Intl.DateTimeFormat("sv", { timeZone: timezone, dateStyle: "short", timeStyle: "medium" })
  return (at: number): number => Date.parse(`${format.format(at).replace(" ", "T")}Z`)
}

describe("when clocks are changed", () => {
  const STEP = 5 * 60_000
  const WINDOW = 36 * 3_600_000
  const daily = ["30 2 * * *", "0,15,45 0-3 * * *", "0 */2 * * *", "30 2,3 * * *", "55 23 * * *", "10 0 * * *"]
  const hourly = ["*/20 * * * *", "55 * * * *", "5 0-23 * * *"]

  it.each([
    ["Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-10-25T01:00:00Z"],
    ["America/New_York", "2026-03-08T07:00:00Z"],
    ["America/New_York", "2026-11-01T06:00:00Z"],
    ["Australia/Lord_Howe", "2026-04-04T15:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-03T15:30:00Z"],
    ["America/Sao_Paulo", "2018-11-04T03:00:00Z"],
    ["Atlantic/Azores", "2026-10-25T01:00:00Z"],
    ["Antarctica/Casey", "2023-03-08T16:00:00Z"],
    ["Pacific/Apia", "2011-12-30T10:00:00Z"],
  ])("in %s at %s", (zone, change) => {
    const wall = wallClock(zone)
    const from = Date.parse(change) - WINDOW
    const shown: { readonly at: number; readonly wall: number }[] = []
    for (let at = from; at <= from + 2 * WINDOW; at += STEP) shown.push({ at, wall: wall(at) })
    const first = shown[0]?.wall ?? 0
    const last = Math.max(...shown.map((one) => one.wall))
    /** The wall-clock times that an expression names. */
    const named = (cron: string): number[] => {
      const times = parseCron(cron)
      const found: number[] = []
      for (let time = times.next(first); time <= last; time = times.next(time)) found.push(time)
      return found
    }

    for (const cron of daily) {
      // Once for each time: when the clocks come to it, or pass over it.
      const instants = named(cron).map((time) => shown.find((one) => one.wall >= time)?.at ?? 0)
      const expected = [...new Set(instants)]
      expect(expected.length).toBeGreaterThan(2)
      expect(nextTimes(parseCron(cron, zone), from, expected.length), cron).toEqual(expected)
    }
    for (const cron of hourly) {
      // Whenever the clocks show one.
      const walls = new Set(named(cron))
      const expected = shown.filter((one) => one.at > from && walls.has(one.wall)).map((one) => one.at)
      expect(expected.length).toBeGreaterThan(30)
      expect(nextTimes(parseCron(cron, zone), from, expected.length), cron).toEqual(expected)
    }
  })
})

describe("what is wrong is said", () => {
  it.each([
    [
      "0 3 * *",
      /^expected five fields \(minute, hour, day, month, weekday\), six with seconds before them, or a name such as @daily, found "0 3 \* \*"$/,
    ],
    [
      "0 25 * * *",
      /^hour: expected 0 to 23, as \*, a value, a list \(1,2\), a range \(1-5\) or steps \(\*\/2\), found "25"$/,
    ],
    ["0 3 L * *", /^day: expected 1 to 31, .* found "l"$/],
    ["0 3 * * fri-mon", /^weekday: expected 0 to 7 or sun to sat; .* found "fri-mon"$/],
    ["*/0 3 * * *", /^minute: .* found "\*\/0"$/],
    ["60 0 3 * * *", /^second: .* found "60"$/],
    ["0 0 30 2 *", /^"0 0 30 2 \*" names no time at all: there is no such day$/],
    ["@dayly", /^unknown name "@dayly"; did you mean "@daily"\?$/],
  ])("%s", (cron, message) => {
    expect(() => parseCron(cron)).toThrow(ConfigError)
    expect(() => parseCron(cron)).toThrow(message)
  })

  it.each([
    [
      "Europe/Berln",
      /^expected a time zone of the IANA database, found "Europe\/Berln"; did you mean "Europe\/Berlin"\?$/,
    ],
    ["Tokio", /did you mean "Asia\/Tokyo"\?$/],
    ["somewhere", /^expected a time zone of the IANA database, such as Europe\/Berlin or UTC, found "somewhere"$/],
  ])("%s", (zone, message) => {
    expect(() => parseCron("@daily", zone)).toThrow(ConfigError)
    expect(() => parseCron("@daily", zone)).toThrow(message)
  })
})
