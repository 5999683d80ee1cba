/**
 * Deals packets out to segments. Pictures go to the segment that is open. Sound goes by its own time: where it comes
 * before the picture it waits, and a finished segment stays open until the sound that belongs to it has passed.
 */
import { rmSync } from "node:fs"
import type { Packet } from "node-av/lib"
import { IngestError } from "../../model/errors.ts"
import { formatBytes } from "../../model/units.ts"
import type { Pixels } from "../thumbnails.ts"
import type { Input, Reading, Track } from "./av-input.ts"
import type { SegmentFile } from "./av-output.ts"
import { takeBytes } from "./files.ts"
import type { Segment } from "./segment.ts"

/** Sound that waits for pictures. More means that the file is not interleaved; then it goes where there is room. */
const MAX_WAITING_BYTES = 16 * 2 ** 20

/** What is left of a video. */
export interface Rest {
  /** Seconds from the start of the video; decoding can start there. */
  readonly start: number
  /** Packets of each track, by slot, that come before it. */
  readonly passOver: readonly number[]
}

interface Open {
  readonly start: number
  readonly file: SegmentFile
  readonly picture: Pixels | undefined
  /** Packets written, by slot. */
  readonly packets: number[]
  end: number
  bytes: number
}

export class Splitter {
  readonly #input: Input
  readonly #maxBytes: number
  /** Packets of finished segments, by slot. */
  readonly #done: number[]
  readonly #finished: Open[] = []
  /** Slots of sound that have not yet come to the current segment's start. */
  readonly #late = new Set<number>()
  #previous: Open | undefined
  #current: Open | undefined
  #waiting: Reading[] = []
  #waitingBytes = 0

  constructor(input: Input, maxBytes: number) {
    this.#input = input
    this.#maxBytes = maxBytes
    this.#done = input.tracks.map(() => 0)
  }

  /** Bytes of the segment that is open. */
  get bytes(): number {
    return this.#current?.bytes ?? 0
  }

  /** Opens the next segment; the sound before `start` goes to the one before. */
  begin(start: number, file: SegmentFile, picture: Pixels | undefined): void {
    this.#finishPrevious()
    if (this.#current) this.#release(start)
    this.#previous = this.#current
    this.#current = { start, file, picture, packets: this.#done.map(() => 0), end: start, bytes: 0 }
    this.#late.clear()
    if (!this.#previous) return
    for (const { slot, kind } of this.#input.tracks) if (kind === "audio") this.#late.add(slot)
    for (const { track } of this.#waiting) this.#late.delete(track.slot)
    if (this.#late.size === 0) this.#finishPrevious()
  }

  /** Writes a packet of the picture that covers the given seconds. */
  picture(reading: Reading): void {
    const current = this.#current
    if (!current) throw new RangeError("a segment is begun before its pictures")
    if (!reading.hidden) this.#extend(current, reading.time, reading.end)
    this.#write(current, reading)
  }

  /** Writes an encoded picture; the packet stays the caller's. `reach` says what it covers. */
  write(packet: Packet, track: Track): void {
    if (this.#current) this.#put(this.#current, packet, track)
  }

  /** Says that the pictures of the open segment have come to cover the given seconds. */
  reach(time: number, end: number): void {
    if (this.#current) this.#extend(this.#current, time, end)
  }

  sound(reading: Reading): void {
    if (this.#previous && this.#current) {
      if (reading.time < this.#current.start) {
        this.#write(this.#previous, reading)
        return
      }
      this.#late.delete(reading.track.slot)
      if (this.#late.size === 0) this.#finishPrevious()
    }
    this.#waiting.push(reading)
    this.#waitingBytes += reading.packet.size
    if (this.#waitingBytes <= MAX_WAITING_BYTES) return
    if (!this.#current) {
      throw new IngestError(
        `more than ${formatBytes(MAX_WAITING_BYTES)} of sound come before the video's first picture`,
      )
    }
    this.#release(Number.POSITIVE_INFINITY)
  }

  /** A packet before the first segment that belongs into none. */
  drop(reading: Reading): void {
    this.#done[reading.track.slot] = (this.#done[reading.track.slot] ?? 0) + 1
    this.#input.release(reading.packet)
  }

  /** Finishes the segments that are open. */
  end(): void {
    this.#finishPrevious()
    if (!this.#current) return
    this.#release(Number.POSITIVE_INFINITY)
    this.#finish(this.#current)
    this.#current = undefined
  }

  /** Finishes the segment before the open one and gives up the open one; returns where that began. */
  giveUp(): Rest {
    const start = this.#current?.start ?? 0
    this.#finishPrevious()
    this.#abandonOpen()
    return { start, passOver: this.#done }
  }

  /** The next finished segment; its file is read here and deleted. */
  take(): Segment | undefined {
    const next = this.#finished.shift()
    if (!next) return undefined
    const { start, end, picture, file } = next
    return { start, end, data: takeBytes(file.path, this.#maxBytes), ...(picture && { picture }) }
  }

  /** Lets go of everything; files of segments that were not taken are deleted. */
  abandon(): void {
    this.#abandonOpen()
    for (const { file } of this.#finished.splice(0)) rmSync(file.path, { force: true })
  }

  #abandonOpen(): void {
    for (const { packet } of this.#waiting.splice(0)) this.#input.release(packet)
    this.#current?.file.abandon()
    this.#previous?.file.abandon()
    this.#current = undefined
    this.#previous = undefined
  }

  #extend(open: Open, time: number, end: number): void {
    if (end > open.end) open.end = end
    if (this.#waiting.length > 0) this.#release(time)
  }

  /** Writes the waiting sound before `time` into the open segment. */
  #release(time: number): void {
    const current = this.#current
    if (!current) return
    this.#waiting = this.#waiting.filter((reading) => {
      if (reading.time >= time) return true
      this.#waitingBytes -= reading.packet.size
      this.#write(current, reading)
      return false
    })
  }

  #write(open: Open, { packet, track }: Reading): void {
    this.#put(open, packet, track)
    this.#input.release(packet)
  }

  #put(open: Open, packet: Packet, track: Track): void {
    open.bytes += packet.size
    open.packets[track.slot] = (open.packets[track.slot] ?? 0) + 1
    open.file.write(packet, track)
  }

  #finishPrevious(): void {
    if (!this.#previous) return
    this.#finish(this.#previous)
    this.#previous = undefined
  }

  #finish(open: Open): void {
    open.file.close()
    open.packets.forEach((count, slot) => {
      this.#done[slot] = (this.#done[slot] ?? 0) + count
    })
    this.#finished.push(open)
  }
}
