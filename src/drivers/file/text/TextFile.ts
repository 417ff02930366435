/**
 * A file of text as its readers see it: a range of bytes that ends somewhere, whatever they are kept in.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises"
import { sourceChanged } from "./Fingerprint.ts"

/** Bytes read at a time. Larger gains nothing; smaller costs system calls. */
export const chunkBytes = 1024 * 1024

/** The part of a file that is being read. */
export interface TextFile {
  readonly path: string
  /**
   * Where it ends, whatever is appended meanwhile. Infinite while a compressed file has not been read
   * to its end; known as soon as `read` has given its last byte.
   */
  readonly end: number
  /**
   * These bytes. Fewer, when the file ends within them or cannot be read beyond some byte: then
   * everything before that byte is given first, and a read that begins there rejects.
   */
  read(start: number, length: number): Promise<Buffer>
  /** Where it may grow: looks at what has come since; `false` when nothing has. */
  grow?(): Promise<boolean>
  /** The compressed file around it, where there is one. */
  readonly compressed?: CompressedFile
}

export interface CompressedFile {
  readonly size: number
  /** Its first KiB. */
  readonly head: Buffer
  /** Compressed bytes that have been decompressed. */
  readonly consumed: () => number
}

/** A file that is text as it is. Its end is fixed here. */
export const plainFile = async (path: string, handle: FileHandle): Promise<TextFile> => {
  const end = (await handle.stat()).size
  return {
    path,
    end,
    read: (start, length) => readFully(path, handle, start, Math.max(0, Math.min(length, end - start)))
  }
}

/** Exactly these bytes. Fewer means the file has shrunk since it was opened. */
export const readFully = async (
  path: string,
  handle: FileHandle,
  start: number,
  length: number
): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(buffer, done, length - done, start + done)
    if (bytesRead === 0) throw sourceChanged(path, "it has become shorter while it was read")
    done += bytesRead
  }
  return buffer
}
