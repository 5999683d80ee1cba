/** Runs `ffmpeg` and `ffprobe` as child processes, without a shell. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { Readable } from "node:stream"
import { buffer } from "node:stream/consumers"
import { IngestError, messageOf } from "../../model/errors.ts"
import type { NormalizeContext } from "../../model/normalizer.ts"
import { DEMUXERS, MAX_PIXELS, PROTOCOLS } from "./limits.ts"

export type Tool = "ffmpeg" | "ffprobe"

/** Longest part of a tool's complaints that is kept; a damaged file can bring one for every packet. */
const MAX_COMPLAINTS = 4096

/** A tool ran but failed; the message is the last thing it said. */
export class ToolFailed extends Error {}

/** Arguments that open a file that nobody vouches for. The prefix keeps a name such as "-i" or "concat:a" a name. */
export const inputOf = (path: string): readonly string[] => [
  ...["-protocol_whitelist", `${PROTOCOLS},pipe`],
  ...["-format_whitelist", DEMUXERS],
  ...["-fflags", "+discardcorrupt"],
  ...["-max_pixels", String(MAX_PIXELS)],
  ...["-i", `file:${path}`],
]

export interface Running {
  readonly stdout: Readable
  /** Waits for the end. @throws {ToolFailed} when the tool failed, {IngestError} when there is no such tool. */
  readonly done: () => Promise<void>
  /** Stops the tool where it still runs, and waits until it is gone. */
  readonly stop: () => Promise<void>
}

/** Neither program is there. */
export class FfmpegNotFound extends IngestError {
  readonly why: string

  constructor(why: string) {
    super(
      'ffmpeg not found: video needs either the npm package node-av ("npm install node-av"), or the programs ffmpeg ' +
        `and ffprobe on the PATH ("apt-get install ffmpeg", "brew install ffmpeg") [${why}]`,
    )
    this.why = why
  }
}

/** Starts a tool. What it writes to file descriptor 3 (`-progress pipe:3`) counts as progress. */
export const run = (tool: Tool, args: readonly string[], context: NormalizeContext): Running => {
  const options = tool === "ffmpeg" ? ["-nostdin", "-hide_banner", "-v", "error"] : ["-hide_banner", "-v", "error"]
  const child = spawn(tool, [...options, ...args], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    signal: context.signal,
    killSignal: "SIGKILL",
  })
  let complaints = ""
  child.stderr?.on("data", (chunk: Buffer) => {
    complaints = (complaints + chunk.toString("utf8")).slice(-MAX_COMPLAINTS)
  })
  child.stdio[3]?.on("data", () => context.progress())
  const ended = new Promise<Error | undefined>((resolve) => {
    child.on("error", (error) =>
      resolve("code" in error && error.code === "ENOENT" ? new FfmpegNotFound(messageOf(error)) : error),
    )
    child.on("close", (code) => {
      const last = complaints.trim().split("\n").at(-1)
      resolve(code === 0 ? undefined : new ToolFailed(last || `${tool} ended with code ${code}`))
    })
  })
  return {
    // A pipe, as asked for above; also where the tool could not be started.
    stdout: child.stdout ?? Readable.from([]),
    done: async () => {
      const error = await ended
      context.signal.throwIfAborted()
      if (error) throw error
    },
    stop: async () => {
      child.kill("SIGKILL")
      await ended
    },
  }
}

/** The lines that a tool prints. The tool is stopped when nobody reads on. @throws as {@link Running.done}. */
export async function* linesOf(tool: Tool, args: readonly string[], context: NormalizeContext): AsyncGenerator<string> {
  const running = run(tool, args, context)
  try {
    yield* createInterface({ input: running.stdout, crlfDelay: Number.POSITIVE_INFINITY })
    await running.done()
  } finally {
    await running.stop()
  }
}

/** All bytes that a tool prints; for small answers. */
export const bytesOf = async (tool: Tool, args: readonly string[], context: NormalizeContext): Promise<Buffer> => {
  const running = run(tool, args, context)
  const [bytes] = await Promise.all([buffer(running.stdout), running.done()])
  return bytes
}
