/** How `ffmpeg` is told to write pictures: encoded as they are through node-av, or copied. */
import type { NormalizeContext } from "../../model/normalizer.ts"
import { bytesOf } from "./cli-process.ts"
import type { Container } from "./files.ts"

/** Encoder settings as in the videos made through node-av. */
const ENCODERS: Readonly<Record<"h264" | "vp9", readonly string[]>> = {
  h264: ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-mbtree", "0"],
  vp9: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "6", "-crf", "24", "-b:v", "0", "-row-mt", "1"],
}

/** Keeps every frame once. The option had another name before FFmpeg 5.1. */
const everyFrame = async (context: NormalizeContext): Promise<readonly string[]> => {
  const version = (await bytesOf("ffmpeg", ["-version"], context)).toString("latin1")
  const [, major] = /^ffmpeg version n?(\d+)\./.exec(version) ?? []
  return [major !== undefined && Number(major) < 6 ? "-vsync" : "-fps_mode", "passthrough"]
}

/** Arguments that encode every picture again, after `filter`, and copy the sound. */
export const encodingInto = async (
  container: Container,
  filter: string,
  context: NormalizeContext,
): Promise<readonly string[]> => [
  ...ENCODERS[container === "webm" ? "vp9" : "h264"],
  ...(await everyFrame(context)),
  // Halved colour planes need even sides.
  ...["-vf", `${filter}crop=trunc(iw/2)*2:trunc(ih/2)*2`, "-c:a", "copy"],
]

/** QuickTime and Safari play HEVC in MP4 only under this name. */
export const hvc1 = (codec: string, container: Container): readonly string[] =>
  codec === "hevc" && (container === "mp4" || container === "mov") ? ["-tag:v", "hvc1"] : []
