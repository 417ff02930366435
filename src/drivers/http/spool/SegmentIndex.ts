/**
 * Where the frames of a segment lie, and its records as one text without what stands between them.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { crc32 } from "node:zlib"
import { chunkBytes, readFully, type TextFile } from "../../file/text/TextFile.ts"
import { decodeHead, type FrameHead, type FrameKey, frameHeadBytes } from "./frame.ts"

export class SegmentIndex {
  /** Behind the last whole frame, in bytes of the file. */
  end: number
  /** Behind the last record, counted over the whole spool. */
  ordinal: number
  /** Bytes of text. */
  text = 0
  private readonly payloadAt: Array<number> = []
  private readonly textEnd: Array<number> = []

  /** A segment without frames: its first one begins at `start`. */
  constructor(start: number, ordinal: number) {
    this.end = start
    this.ordinal = ordinal
  }

  get frames(): number {
    return this.payloadAt.length
  }

  /** A frame that is on the disk, behind all others. */
  add({ bytes, records }: Pick<FrameHead, "bytes" | "records">): void {
    this.payloadAt.push(this.end + frameHeadBytes)
    this.end += frameHeadBytes + bytes
    this.text += bytes
    this.textEnd.push(this.text)
    this.ordinal += records
  }

  /** The text as it is at this moment, whatever is added later. */
  textOf(path: string, handle: FileHandle): TextFile {
    const end = this.text
    return {
      path,
      end,
      read: (start, length) => this.read(path, handle, start, Math.min(start + length, end))
    }
  }

  /** One read over all frames that are touched; their heads are left out. */
  private async read(path: string, handle: FileHandle, start: number, to: number): Promise<Buffer> {
    if (to <= start) return Buffer.alloc(0)
    const first = this.frameOf(start)
    const last = this.frameOf(to - 1)
    const from = this.fileOffset(first, start)
    const bytes = await readFully(path, handle, from, this.fileOffset(last, to - 1) + 1 - from)
    if (first === last) return bytes
    const text = Buffer.allocUnsafeSlow(to - start)
    for (let frame = first, at = start; frame <= last; frame++) {
      const until = Math.min(to, this.textEnd[frame]!)
      const offset = this.fileOffset(frame, at) - from
      bytes.copy(text, at - start, offset, offset + until - at)
      at = until
    }
    return text
  }

  private fileOffset(frame: number, at: number): number {
    return this.payloadAt[frame]! + at - (frame === 0 ? 0 : this.textEnd[frame - 1]!)
  }

  /** The frame that holds this byte of text. */
  private frameOf(at: number): number {
    let low = 0
    for (let high = this.textEnd.length - 1; low < high; ) {
      const middle = (low + high) >> 1
      if (this.textEnd[middle]! > at) high = middle
      else low = middle + 1
    }
    return low
  }
}

export interface Scanned {
  readonly index: SegmentIndex
  readonly keys: ReadonlyArray<FrameKey & { readonly ordinal: number }>
}

/** Every whole frame from `start` on; it ends at the first that is not, or with the file. */
export const scanFrames = async (
  path: string,
  handle: FileHandle,
  size: number,
  start: number,
  ordinal: number
): Promise<Scanned> => {
  const index = new SegmentIndex(start, ordinal)
  const keys: Array<FrameKey & { ordinal: number }> = []
  const read = ahead(path, handle, size)
  while (index.end + frameHeadBytes <= size) {
    const head = decodeHead(await read(index.end, frameHeadBytes))
    if (head === undefined || index.end + frameHeadBytes + head.bytes > size) break
    let crc = 0
    for (let done = 0; done < head.bytes; done += chunkBytes) {
      const length = Math.min(chunkBytes, head.bytes - done)
      crc = crc32(await read(index.end + frameHeadBytes + done, length), crc)
    }
    if (crc !== head.crc) break
    index.add(head)
    if (head.key !== undefined) keys.push({ ...head.key, ordinal: index.ordinal })
  }
  return { index, keys }
}

/** Reads forwards a chunk at a time; a read is at most a chunk. */
const ahead = (path: string, handle: FileHandle, size: number) => {
  let chunk: Buffer = Buffer.alloc(0)
  let at = 0
  return async (start: number, length: number): Promise<Buffer> => {
    if (start < at || start + length > at + chunk.length) {
      at = start
      chunk = await readFully(path, handle, start, Math.min(chunkBytes, size - start))
    }
    return chunk.subarray(start - at, start - at + length)
  }
}
