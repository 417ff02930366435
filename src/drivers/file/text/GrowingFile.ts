/**
 * A file of lines that is still being written: it ends, for its readers, behind the last record that is whole.
 *
 * An unfinished last line waits until its newline is there. In CSV a record may go over several lines, so a
 * newline between two quotes ends nothing; beyond the size of the largest record it does, as it does for a reader
 * that meets a quote that is never closed.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { stat } from "node:fs/promises"
import { sourceChanged } from "./Fingerprint.ts"
import { chunkBytes, readFully, type TextFile } from "./TextFile.ts"

const lineFeed = 10
const quote = 34

export class GrowingFile implements TextFile {
  readonly path: string
  end: number
  readonly #handle: FileHandle
  readonly #isQuoted: boolean
  readonly #most: number
  /** Bytes that have been looked at; between `end` and here no record is whole. */
  #seen: number
  #isOpen = false

  /** From `start` on, which is between two records. `most` bytes is the largest record there may be. */
  constructor(
    path: string,
    handle: FileHandle,
    start: number,
    { isQuoted, most }: { readonly isQuoted: boolean; readonly most: number }
  ) {
    this.path = path
    this.#handle = handle
    this.end = start
    this.#seen = start
    this.#isQuoted = isQuoted
    this.#most = most
  }

  read(start: number, length: number): Promise<Buffer> {
    return readFully(this.path, this.#handle, start, Math.max(0, Math.min(length, this.end - start)))
  }

  /**
   * Looks at what has come since, a chunk of it; `false` when nothing has. Rejects when the file has become
   * shorter, or another one has its name: what comes then is not known to follow.
   */
  async grow(): Promise<boolean> {
    const [mine, named] = [await this.#handle.stat(), await stat(this.path)]
    if (named.ino !== mine.ino || named.dev !== mine.dev) {
      throw sourceChanged(this.path, "another file has taken its place")
    }
    if (mine.size < this.#seen) {
      throw sourceChanged(this.path, `it has ${mine.size} bytes and ${this.#seen} had been read`)
    }
    const seen = this.#seen
    const length = Math.min(chunkBytes, mine.size - seen)
    if (length === 0) return false
    const bytes = await readFully(this.path, this.#handle, seen, length)
    // A look that was given up goes on beside the next one: only the first of them counts.
    if (this.#seen !== seen) return true
    const whole = this.#isQuoted ? this.#behindLastRecord(bytes) : bytes.lastIndexOf(lineFeed) + 1
    if (whole > 0) this.end = this.#seen + whole
    this.#seen += length
    if (this.#seen - this.end > this.#most) this.#giveUp(bytes)
    return true
  }

  /** Behind the last newline that is not between two quotes; 0 when there is none. */
  #behindLastRecord(bytes: Buffer): number {
    let behind = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === quote) this.#isOpen = !this.#isOpen
      else if (byte === lineFeed && !this.#isOpen) behind = at + 1
    }
    return behind
  }

  /** More than a record may hold: the reader decides what is wrong with it. */
  #giveUp(bytes: Buffer): void {
    const newline = bytes.lastIndexOf(lineFeed)
    this.end = newline < 0 ? this.#seen : this.#seen - bytes.length + newline + 1
    this.#isOpen = false
  }
}
