/**
 * Reads records from a text file, window by window, in batches that can be read again.
 *
 * A batch covers every byte from the place it was read at up to the end of its last record, lines
 * without a record included. Where it ends depends only on how many records it holds, never on the
 * limits or the windows it was read with; so does its digest.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import type { SourceBatch } from "../Record.ts"
import type { ReadLimit } from "../Source.ts"
import { type BytePosition, headBytes, shortHash, tailBytes } from "./Fingerprint.ts"
import { skipRecord } from "./skipRecord.ts"
import { Taken } from "./Taken.ts"
import {
  byteLength,
  chunkBytes,
  loadWindow,
  readFully,
  type TextFile,
  type TextWindow
} from "./TextWindow.ts"

/** How a format finds and parses its records. */
export interface RecordFormat {
  /**
   * Reads records from character `at` on until `records` have been added, about `characters` have been
   * passed, or the window has no further whole record. Returns where it stopped.
   */
  take(window: TextWindow, at: number, limit: TakeLimit, into: Taken): TakeResult
}

export interface TakeLimit {
  readonly records: number
  readonly characters: number
  /** A record of more bytes is not taken. */
  readonly most: number
}

export interface TakeResult {
  /** Behind the last record taken. */
  readonly at: number
  /**
   * `full`: a limit was reached. `end`: what is left of the window holds no record. `open`: the record
   * at `at` goes on behind the window. `too_large`: it has more than `most` bytes.
   */
  readonly stopped: "full" | "end" | "open" | "too_large"
}

/** Where a reader stands. A failed read leaves it untouched, so that `next` can be called again. */
interface Place {
  readonly byte: number
  readonly row: number
  readonly window: TextWindow | undefined
  /** Character of `window` that `byte` is at. */
  readonly at: number
}

export class TextReader {
  private readonly file: TextFile
  private readonly format: RecordFormat
  private readonly most: number
  private readonly head: Buffer
  private place: Place

  /** `head` is the file's first KiB, `most` the bytes of the largest record that is parsed. */
  constructor(
    file: TextFile,
    format: RecordFormat,
    most: number,
    head: Buffer,
    start: { byte: number; row: number }
  ) {
    this.file = file
    this.format = format
    this.most = most
    this.head = head
    this.place = { ...start, window: undefined, at: 0 }
  }

  get progress(): { readonly done: number; readonly total: number; readonly unit: "bytes" } {
    return { done: this.place.byte, total: this.file.end, unit: "bytes" }
  }

  async next(limit: ReadLimit): Promise<SourceBatch | null> {
    const run = new Run(this.file, this.format, this.most, this.place, limit)
    await run.read()
    const count = run.taken.records.length
    if (count === 0) return null
    const { byte, window } = run.settled
    const to = await this.position(byte, this.place.row + count, window)
    const bytes = byte - this.place.byte
    this.place = { ...run.settled, row: to.row }
    const taken = run.taken
    return { records: taken.records, to, digest: run.digest(), bytes, raw: (index) => taken.raw(index) }
  }

  private async position(byte: number, row: number, window: TextWindow | undefined): Promise<BytePosition> {
    const length = Math.min(tailBytes, byte)
    const tail =
      window !== undefined && byte - length >= window.start
        ? window.bytes.subarray(byte - length - window.start, byte - window.start)
        : await readFully(this.file, byte - length, length)
    return {
      byte,
      row,
      head: shortHash(this.head.subarray(0, Math.min(headBytes, byte))),
      tail: shortHash(tail)
    }
  }
}

/** One call of `next`. */
class Run {
  readonly taken = new Taken()
  private readonly file: TextFile
  private readonly format: RecordFormat
  private readonly most: number
  private readonly limit: ReadLimit
  private hash: Hash = createHash("sha256")
  private start: number
  private byte: number
  private at: number
  private window: TextWindow | undefined
  /** The state behind the last record, kept while passing a window's end that holds none. */
  private behind: { readonly hash: Hash; readonly byte: number } | undefined

  constructor(file: TextFile, format: RecordFormat, most: number, place: Place, limit: ReadLimit) {
    this.file = file
    this.format = format
    this.most = most
    this.limit = limit
    this.start = place.byte
    this.byte = place.byte
    this.at = place.at
    this.window = place.window
  }

  get settled(): { byte: number; at: number; window: TextWindow | undefined } {
    return this.behind === undefined
      ? { byte: this.byte, at: this.at, window: this.window }
      : { byte: this.behind.byte, at: 0, window: undefined }
  }

  digest(): string {
    return (this.behind?.hash ?? this.hash).digest("hex")
  }

  async read(): Promise<void> {
    let size = chunkBytes
    while (this.room > 0) {
      if (this.window === undefined || this.at === this.window.text.length) {
        if (this.byte === this.file.end) return
        this.at = 0
        this.window = await loadWindow(this.file, this.byte, size, this.most)
        size = chunkBytes
        if (this.window === undefined) {
          await this.skip()
          continue
        }
      }
      const stopped = this.take(this.window)
      if (stopped === "full") return
      if (stopped === "too_large") await this.skip()
      if (stopped === "open") {
        // The record is read again from its start, in a window twice as large.
        const held = this.window.start + this.window.bytes.length - this.byte
        if (held > this.most) await this.skip()
        size = Math.max(chunkBytes, 2 * held)
        this.window = undefined
      }
    }
  }

  private get room(): number {
    return this.limit.records - this.taken.records.length
  }

  private take(window: TextWindow): TakeResult["stopped"] {
    const before = this.taken.records.length
    this.taken.begin(window)
    const characters =
      this.limit.exactly === true ? Number.POSITIVE_INFINITY : this.limit.bytes - (this.byte - this.start)
    if (before > 0 && characters <= 0) return "full"
    const limit = { records: this.room, characters, most: this.most }
    const { at, stopped } = this.format.take(window, this.at, limit, this.taken)
    if (this.taken.records.length > before) this.behind = undefined
    this.pass(window, at)
    if (stopped === "end" && at < window.text.length) {
      // The rest belongs to this batch only if another record follows in the next window.
      this.behind ??= { hash: this.hash.copy(), byte: this.byte }
      this.pass(window, window.text.length)
    }
    return stopped
  }

  private pass(window: TextWindow, to: number): void {
    const length = byteLength(window, this.at, to)
    const offset = this.byte - window.start
    this.hash.update(window.bytes.subarray(offset, offset + length))
    this.byte += length
    this.at = to
  }

  private async skip(): Promise<void> {
    const { raw, to } = await skipRecord(this.file, this.byte, this.most, this.hash)
    this.taken.addSkipped(raw, this.most)
    this.behind = undefined
    this.byte = to
    this.window = undefined
    this.at = 0
  }
}
