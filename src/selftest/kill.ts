/** Runs the child of a cell, and kills it. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { CHANGE_CRASH_POINTS, CRASH_POINTS, type CrashPoint } from "../engine/crash-point.ts"
import type { ChildTask } from "./child.ts"

/** When a child is killed: by itself at a named point, by its parent some time after a commit, or after its start. */
export type Kill =
  | { readonly kind: "point"; readonly crash: NonNullable<ChildTask["crash"]> }
  | { readonly kind: "commit"; readonly commits: number; readonly ms: number }
  | { readonly kind: "start"; readonly ms: number }

const POINTS = [...CRASH_POINTS, ...CHANGE_CRASH_POINTS]

/** A child starts in about so long; most of what it does comes within as long again. */
const START_MS = 1500
/** A commit takes a few milliseconds. */
const COMMIT_MS = 40
/** How many of the kills at points are at points that a run that is not killed never comes to. */
const RARE = 0.25

/** `passed` tells how often a run that is not killed passes each point. */
export const nextKill = (next: () => number, passed: Passed): Kill => {
  const below = (count: number): number => Math.floor(next() * count)
  const kind = next()
  if (kind < 0.5) {
    const rare = next() < RARE
    const moments = rare
      ? POINTS.flatMap((point) => (passed[point] === undefined ? [{ point, after: 0 }] : []))
      : POINTS.flatMap((point) => Array.from({ length: passed[point] ?? 0 }, (_, after) => ({ point, after })))
    return { kind: "point", crash: moments[below(moments.length)] ?? { point: "before-commit", after: 0 } }
  }
  if (kind < 0.9) return { kind: "commit", commits: below(passed["after-commit"] ?? 1), ms: next() * COMMIT_MS }
  return { kind: "start", ms: next() * START_MS }
}

export type Environment = Readonly<Record<string, string | undefined>>

/** How often a run has passed the crash points. */
export type Passed = Readonly<Partial<Record<CrashPoint, number>>>

export interface Ended {
  readonly killed: boolean
  readonly commits: number
  /** Empty for a run that was killed. */
  readonly passed: Passed
}

const CHILD = fileURLToPath(new URL(`./child${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url))

/** What a failed child said last is part of the message. */
const STDERR_TAIL = 4000

/**
 * Runs a child to its end, or until it is killed.
 *
 * @throws {Error} when it fails by itself.
 */
export const runChild = (task: ChildTask, env: Environment, kill?: Kill): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const given = kill?.kind === "point" ? { ...task, crash: kill.crash } : task
    const child = spawn(process.execPath, [CHILD, JSON.stringify(given)], {
      stdio: ["ignore", "pipe", "pipe"],
      env,
    })
    let commits = 0
    let stdout = ""
    let stderr = ""
    const later = (ms: number): unknown => setTimeout(() => child.kill("SIGKILL"), ms)
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk
      for (const _ of String(chunk).matchAll(/^committed$/gm)) {
        if (kill?.kind === "commit" && commits === kill.commits) later(kill.ms)
        commits++
      }
    })
    child.stderr.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk).slice(-STDERR_TAIL)
    })
    child.on("error", reject)
    child.on("close", (code, signal) => {
      if (signal === "SIGKILL") resolve({ killed: true, commits, passed: {} })
      else if (code === 0) {
        resolve({ killed: false, commits, passed: JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}") })
      } else reject(new Error(`A run failed by itself (${signal ?? `exit code ${code}`}): ${stderr.trim()}`))
    })
    if (kill?.kind === "start") later(kill.ms)
  })
