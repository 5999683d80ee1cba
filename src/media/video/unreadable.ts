/**
 * Says why a file cannot be opened as a video. FFmpeg answers "Invalid data found when processing input" to an empty
 * file, to a text and to a recording that lost its index alike; whoever has to repair the file needs to know which.
 */
import { IngestError } from "../../model/errors.ts"
import { type Content, containerOf, partsOf, withContent } from "./structure.ts"

const HEAD = 4096

const mp4Problem = (content: Content): string => {
  const names: string[] = []
  for (const { name, start, end } of partsOf(content, "MP4 or MOV")) {
    if (name === "moov") {
      return end > content.size
        ? `its index (the "moov" box) is cut off: ${end - start} bytes are declared at ${start}, the file ends at ${content.size}`
        : `its index (the "moov" box) is damaged`
    }
    names.push(name)
  }
  return (
    `it has no index (no "moov" box; found: ${names.slice(0, 8).join(", ")}): ` +
    "the file was cut off, or its recording was never finished"
  )
}

const problem = (content: Content): string => {
  if (content.size === 0) return "the file is empty (0 bytes)"
  const head = content.read(0, HEAD)
  const container = containerOf(head)
  if (container === "MP4 or MOV") return `this ${container} file cannot be read: ${mp4Problem(content)}`
  if (container)
    return `this ${container} file cannot be read: its header is damaged or cut off (${content.size} bytes in all)`
  const start = JSON.stringify(head.toString("latin1", 0, 16))
  return (
    "the content is no video in a container that can be read (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, ASF, Ogg); " +
    `the file starts with ${start}: check that it is whole and that its extension is right`
  )
}

/** The error for a file that FFmpeg would not open; `cause` is what it said. */
export const unreadable = (path: string, cause: string): IngestError =>
  new IngestError(`${withContent(path, problem)} [${cause}]`)
