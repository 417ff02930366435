/**
 * The text inside a gzip file, of one member or several, decompressed as a stream.
 *
 * A place in it is counted in decompressed bytes, and gzip cannot be entered in the middle: going back
 * further than the last chunk begins anew at the file's start. Readers go forward, so that happens once,
 * when a reading is resumed; it then costs decompressing, not parsing, everything before the place.
 * Memory holds the stretch being read, whatever the file expands to.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { maxHeaderBytes } from "../csv/csvHeader.ts"
import { misconfigured } from "../fileError.ts"
import { headBytes } from "./Fingerprint.ts"
import { feedBytes, Inflater } from "./Inflater.ts"
import { type CompressedFile, chunkBytes, readFully, type TextFile } from "./TextFile.ts"

interface Chunk {
  readonly start: number
  readonly bytes: Buffer
}

export class GzipFile implements TextFile {
  readonly path: string
  readonly compressed: CompressedFile
  end = Number.POSITIVE_INFINITY
  private readonly handle: FileHandle
  private readonly size: number
  private inflater: Inflater | undefined
  /** Compressed bytes given to the inflater. */
  private fed = 0
  /** Decompressed so far. */
  private upTo = 0
  /** The last chunks, without a gap. */
  private recent: Array<Chunk> = []
  /** The file's first chunks: a header is read again after the reading has gone to its place. */
  private readonly first: Array<Chunk> = []
  private fault: unknown

  private constructor(path: string, handle: FileHandle, size: number, head: Buffer) {
    this.path = path
    this.handle = handle
    this.size = size
    this.compressed = { size, head, consumed: () => this.fed }
  }

  static async open(path: string, handle: FileHandle): Promise<GzipFile> {
    const { size } = await handle.stat()
    if (size === 0) throw corrupt(path, "it is empty")
    return new GzipFile(path, handle, size, await readFully(path, handle, 0, Math.min(headBytes, size)))
  }

  async read(start: number, length: number): Promise<Buffer> {
    const to = Math.min(start + length, this.end)
    const known = endOf(this.first)
    if (to < known || (to === known && known === this.end)) return slice(this.first, start, to)
    if (start < (this.recent[0]?.start ?? this.upTo)) this.restart()
    // One byte more than was asked for, so that the end is known with the last byte.
    while (this.upTo <= to && this.upTo < this.end && this.fault === undefined) await this.inflate(start)
    if (this.fault !== undefined && this.upTo <= start && length > 0) {
      const { fault } = this
      this.restart()
      throw fault
    }
    return slice(this.recent, start, Math.min(to, this.upTo))
  }

  close(): void {
    this.inflater?.close()
    this.inflater = undefined
  }

  private restart(): void {
    this.close()
    this.recent = []
    this.upTo = 0
    this.fed = 0
    this.fault = undefined
  }

  /** A little more; what lies far before `start` is let go. */
  private async inflate(start: number): Promise<void> {
    try {
      this.inflater ??= new Inflater()
      const length = Math.min(feedBytes, this.size - this.fed)
      const bytes = length === 0 ? undefined : await readFully(this.path, this.handle, this.fed, length)
      const chunks = await this.inflater.feed(bytes)
      this.fed += length
      for (const chunk of chunks) this.keep(chunk)
      const passed = this.recent.findIndex((each) => each.start + each.bytes.length > start - chunkBytes)
      this.recent.splice(0, passed < 0 ? this.recent.length : passed)
      const { consumed, fault } = this.inflater
      if (fault !== undefined) throw isZlib(fault) ? corrupt(this.path, fault.message) : fault
      if (length === 0 || consumed < this.fed) await this.settle(consumed)
    } catch (cause) {
      this.fault = cause
    }
  }

  private keep(bytes: Buffer): void {
    const chunk = { start: this.upTo, bytes }
    this.upTo += bytes.length
    this.recent.push(chunk)
    if (chunk.start < maxHeaderBytes && chunk.start === endOf(this.first)) this.first.push(chunk)
  }

  /** Zeros behind the last member are padding; anything else is damage that must not pass as the end. */
  private async settle(consumed: number): Promise<void> {
    for (let at = consumed; at < this.size; at += chunkBytes) {
      const rest = await readFully(this.path, this.handle, at, Math.min(chunkBytes, this.size - at))
      if (rest.some((byte) => byte !== 0)) throw corrupt(this.path, `byte ${consumed} begins no gzip member`)
    }
    this.fed = this.size
    this.end = this.upTo
  }
}

const endOf = (chunks: ReadonlyArray<Chunk>): number => {
  const last = chunks.at(-1)
  return last === undefined ? 0 : last.start + last.bytes.length
}

/** Bytes `from` up to `to`, which the chunks hold. */
const slice = (chunks: ReadonlyArray<Chunk>, from: number, to: number): Buffer => {
  const buffer = Buffer.allocUnsafeSlow(Math.max(0, to - from))
  for (const { bytes, start } of chunks) {
    if (start + bytes.length <= from || start >= to) continue
    bytes.copy(
      buffer,
      Math.max(0, start - from),
      Math.max(0, from - start),
      Math.min(bytes.length, to - start)
    )
  }
  return buffer
}

const isZlib = (cause: unknown): cause is Error =>
  cause instanceof Error && String((cause as NodeJS.ErrnoException).code).startsWith("Z_")

const corrupt = (path: string, why: string) =>
  misconfigured(
    "read",
    "corrupt_gzip",
    `${path} cannot be decompressed: ${why}`,
    "the records before the damage were read; copy the file again whole, or say compression: none if it is no gzip file"
  )
