/**
 * Named moments at which a crash must do no harm: before and after every write that the promise of exactly-once rests on.
 * Tests install a hook that kills the process there; otherwise a call does nothing.
 */
export const CRASH_POINTS = [
  "before-records",
  "after-records",
  "before-side",
  "after-side",
  "before-commit",
  "after-commit",
  "before-remove-record",
  "before-remove-side",
  "before-remove",
  "after-remove",
  "after-remove-record",
  "before-maintain",
  "after-maintain",
] as const

/** Those that only a run comes to that finds changes: by `sync`, or where what failed before comes through. */
export const CHANGE_CRASH_POINTS = [
  "before-older",
  "after-older",
  "before-void",
  "after-void",
  "before-vanish",
  "after-vanish",
] as const

export type CrashPoint = (typeof CRASH_POINTS | typeof CHANGE_CRASH_POINTS)[number]

let hook: (point: CrashPoint) => void = () => {}

export const crashPoint = (point: CrashPoint): void => hook(point)

export const onCrashPoint = (next: (point: CrashPoint) => void): void => {
  hook = next
}
