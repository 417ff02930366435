/**
 * Reads records from a text file in batches that can be read again: the place between them, and what
 * vouches for it.
 *
 * @module
 */
import type { SourceBatch } from "../../Record.ts"
import type { ReadLimit } from "../../Source.ts"
import type { FileReader, Progress } from "./FileReader.ts"
import { type BytePosition, headBytes, shortHash, tailBytes } from "./Fingerprint.ts"
import type { Taken } from "./Taken.ts"
import type { TextFile } from "./TextFile.ts"
import type { TextWindow } from "./TextWindow.ts"

/** One call of `next`: how a format reads a batch from a place on. */
export interface BatchRun {
  readonly taken: Taken
  /** Fills `taken`. When it rejects, what `taken` holds is whole and `settled` stands behind it. */
  read(): Promise<void>
  /** Behind the last record taken. */
  readonly settled: Settled
  /** Of all bytes between the place and `settled`. Called once. */
  digest(): string
}

export interface Settled {
  readonly byte: number
  readonly window: TextWindow | undefined
  /** Character of `window` that `byte` is at. */
  readonly at: number
}

/** Where a reader stands. A failed read leaves it untouched, so that `next` can be called again. */
export interface Place extends Settled {
  readonly row: number
}

export class TextReader implements FileReader {
  private readonly file: TextFile
  private head: Buffer
  private readonly begin: (place: Place, limit: ReadLimit) => BatchRun
  private place: Place

  /** `head` is the file's first KiB. */
  constructor(
    file: TextFile,
    head: Buffer,
    start: { readonly byte: number; readonly row: number },
    begin: (place: Place, limit: ReadLimit) => BatchRun
  ) {
    this.file = file
    this.head = head
    this.begin = begin
    this.place = { ...start, window: undefined, at: 0 }
  }

  get progress(): Progress {
    const { compressed, end } = this.file
    return compressed === undefined
      ? { done: this.place.byte, total: end, unit: "bytes" }
      : { done: compressed.consumed(), total: compressed.size, unit: "bytes" }
  }

  async next(limit: ReadLimit): Promise<SourceBatch | null> {
    const run = this.begin(this.place, limit)
    const { records } = run.taken
    try {
      await run.read()
    } catch (cause) {
      // What stands before the break is handed over; the next call meets the break again.
      if (limit.exactly === true || records.length === 0) throw cause
    }
    if (records.length === 0) return null
    const { byte, window } = run.settled
    const to = await this.position(byte, this.place.row + records.length, window)
    const bytes = byte - this.place.byte
    this.place = { ...run.settled, row: to.row }
    return { records, to, digest: run.digest(), bytes, raw: (index) => run.taken.raw(index) }
  }

  async atEnd(): Promise<boolean> {
    const run = this.begin(this.place, { records: 1, bytes: 1, exactly: true })
    await run.read()
    return run.taken.records.length === 0
  }

  async grow(): Promise<boolean> {
    return (await this.file.grow?.()) ?? false
  }

  private async position(byte: number, row: number, window: TextWindow | undefined): Promise<BytePosition> {
    const length = Math.min(tailBytes, byte)
    const { compressed } = this.file
    // A file that grows may have been shorter than its head when it was opened.
    if (this.head.length < Math.min(headBytes, byte)) this.head = await this.file.read(0, headBytes)
    const tail =
      window !== undefined && byte - length >= window.start
        ? window.bytes.subarray(byte - length - window.start, byte - window.start)
        : await this.file.read(byte - length, length)
    return {
      byte,
      row,
      head: shortHash(this.head.subarray(0, Math.min(headBytes, byte))),
      tail: shortHash(tail),
      ...(compressed && { gzip: { size: compressed.size, head: shortHash(compressed.head) } })
    }
  }
}
