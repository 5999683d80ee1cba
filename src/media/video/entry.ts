/**
 * Whether decoding can start at a key frame without anything from before it. Demuxers also flag as key frames the
 * pictures of "open" groups, which are followed by pictures that refer to the group before: a segment that starts
 * there would miss some.
 *
 * NAL unit types: ITU-T H.264 table 7-1, ITU-T H.265 table 7-1.
 */

/** `unknown`: clean when no later packet is shown before this key frame. */
export type Entry = "clean" | "unclean" | "unknown"

/** How NAL units are separated: by a length of so many bytes (MP4, Matroska), or by start codes. */
export type Framing = 1 | 2 | 3 | 4 | "start codes"

/** The framing that an H.264 or HEVC configuration record (ISO/IEC 14496-15) declares. */
export const framingOf = (codec: "h264" | "hevc", extradata: Uint8Array | null): Framing => {
  const [version] = extradata ?? []
  const lengths = extradata?.[codec === "h264" ? 4 : 21]
  // A configuration record starts with its version, 1; parameter sets between start codes start with 0.
  return version !== 1 || lengths === undefined ? "start codes" : (((lengths & 3) + 1) as Framing)
}

/** First bytes of the NAL units of a packet. */
function* nalHeaders(data: Uint8Array, framing: Framing): Generator<number> {
  if (framing === "start codes") {
    for (let at = 0; at + 3 < data.length; at++) {
      if (data[at] === 0 && data[at + 1] === 0 && data[at + 2] === 1) {
        yield data[at + 3] ?? 0
        at += 3
      }
    }
    return
  }
  for (let at = 0; at + framing < data.length; ) {
    let length = 0
    for (let i = 0; i < framing; i++) length = length * 256 + (data[at + i] ?? 0)
    yield data[at + framing] ?? 0
    at += framing + length
  }
}

const H264_LAST_SLICE = 5
const H264_IDR = 5
const HEVC_LAST_SLICE = 31
const HEVC_FIRST_BLA = 16
const HEVC_LAST_IDR = 20
const HEVC_CRA = 21

/** What the packet of a key frame itself tells. */
export const entryOf = (codec: "h264" | "hevc" | "other", data: Uint8Array, framing: Framing): Entry => {
  if (codec === "other") return "unknown"
  for (const header of nalHeaders(data, framing)) {
    if (codec === "h264") {
      const type = header & 31
      // Only an IDR picture forgets all references; after any other one, pictures may look back across it.
      if (type >= 1 && type <= H264_LAST_SLICE) return type === H264_IDR ? "clean" : "unclean"
    } else {
      const type = (header >> 1) & 63
      if (type > HEVC_LAST_SLICE) continue
      if (type >= HEVC_FIRST_BLA && type <= HEVC_LAST_IDR) return "clean"
      return type === HEVC_CRA ? "unknown" : "unclean"
    }
  }
  return "unknown"
}
