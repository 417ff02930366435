/**
 * One batch out of a file of lines.
 *
 * A batch covers every byte from the place it was read at up to the end of its last record, lines
 * without a record included. Where it ends depends only on how many records it holds, never on the
 * limits or the windows it was read with; so does its digest.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import type { Reason } from "../../../../events/PipelineEvent.ts"
import type { ReadLimit } from "../../Source.ts"
import { skipLine } from "./skipRecord.ts"
import { type Taken, tooLarge } from "./Taken.ts"
import { chunkBytes, type TextFile } from "./TextFile.ts"
import type { BatchRun, Place, Settled } from "./TextReader.ts"
import { byteLength, loadLines, meetBreak, type TextWindow } from "./TextWindow.ts"

/** How a format of lines finds and parses its records. */
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

export class LineRun implements BatchRun {
  readonly taken: Taken
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

  constructor(
    file: TextFile,
    format: RecordFormat,
    most: number,
    taken: Taken,
    place: Place,
    limit: ReadLimit
  ) {
    this.taken = taken
    this.file = file
    this.format = format
    this.most = most
    this.limit = limit
    this.start = place.byte
    this.byte = place.byte
    this.at = place.at
    this.window = place.window
  }

  get settled(): Settled {
    return this.behind === undefined
      ? { byte: this.byte, at: this.at, window: this.window }
      : { byte: this.behind.byte, at: 0, window: undefined }
  }

  digest(): string {
    return (this.behind?.hash ?? this.hash).digest("hex")
  }

  async read(): Promise<void> {
    let size = chunkBytes
    let loaded = size
    while (this.room > 0) {
      if (this.window === undefined || this.at === this.window.text.length) {
        if (this.byte === this.file.end) return
        this.at = 0
        this.window = undefined
        this.window = await loadLines(this.file, this.byte, size, this.most)
        loaded = size
        size = chunkBytes
        if (this.window === undefined) {
          await this.skip()
          continue
        }
      }
      const stopped = this.take(this.window)
      if (stopped === "full") return
      if (stopped === "too_large") await this.giveUp(this.window)
      if (stopped === "open") {
        if (this.window.broken !== undefined) await meetBreak(this.file, this.window.broken)
        // A window ends with a line: up to where it was asked for no other line ends, nor does the record.
        const asked = this.window.start === this.byte ? loaded : 0
        const held = Math.max(asked, this.window.start + this.window.bytes.length - this.byte)
        if (held > this.most) {
          await this.giveUp(this.window)
          continue
        }
        // The record is read again from its start, in a window twice as large.
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

  /**
   * A record of more than `most` bytes. One that goes over several lines began with a quote that was not
   * meant, or is not closed: it costs its first line, and what stands on the next ones is read.
   */
  private async giveUp(window: TextWindow): Promise<void> {
    const newline = window.text.indexOf("\n", this.at)
    if (newline < 0 || byteLength(window, this.at, newline) > this.most) return this.skip()
    this.taken.fail(unclosed(this.most), this.at, newline)
    this.behind = undefined
    this.pass(window, newline + 1)
  }

  private async skip(): Promise<void> {
    // A copy, because skipping may fail half way.
    const digest = this.hash.copy()
    const { raw, to } = await skipLine(this.file, this.byte, this.most, digest)
    this.hash = digest
    this.taken.addSkipped(raw, tooLarge(raw.size, this.most))
    this.behind = undefined
    this.byte = to
    this.window = undefined
    this.at = 0
  }
}

const unclosed = (most: number): Reason => ({
  code: "malformed_csv",
  message: `a quote is opened and not closed within ${most} bytes`
})
