/**
 * A stretch of a text file in memory: whole lines, decoded at once.
 *
 * When the bytes are not all UTF-8 the text is latin1, one character per byte, so that the structure is
 * still found by the same loops; `decode` then looks at each record's own bytes.
 *
 * @module
 */
import { isUtf8 } from "node:buffer"
import type { FileHandle } from "node:fs/promises"
import { mayHoldLargeIntegers } from "./exactIntegers.ts"
import { sourceChanged } from "./Fingerprint.ts"

/** Bytes read at a time. Larger gains nothing; smaller costs system calls. */
export const chunkBytes = 1024 * 1024

export interface TextWindow {
  /** Offset in the file of the first byte. */
  readonly start: number
  readonly bytes: Buffer
  readonly text: string
  /** Every character is one byte. */
  readonly plain: boolean
  readonly valid: boolean
  /** It reaches the end of the file, so its last line may lack a newline. */
  readonly last: boolean
  /** Some integer in it may be beyond what a number holds exactly. */
  readonly largeIntegers: boolean
}

/** The part of the file being read: it ends at `end` whatever is appended meanwhile. */
export interface TextFile {
  readonly path: string
  readonly handle: FileHandle
  readonly end: number
}

/**
 * Whole lines from `start` on, about `size` bytes of them (more, when the first line is longer), or
 * `undefined` when no line ends within `size` and `most` bytes.
 */
export const loadWindow = async (
  file: TextFile,
  start: number,
  size: number,
  most: number
): Promise<TextWindow | undefined> => {
  for (let want = size; ; want *= 2) {
    const length = Math.min(want, file.end - start)
    const read = await readFully(file, start, length)
    const last = start + length === file.end
    const whole = last ? length : read.lastIndexOf(10) + 1
    if (whole > 0) return decodeWindow(start, read.subarray(0, whole), last)
    if (length > most) return undefined
  }
}

const decodeWindow = (start: number, bytes: Buffer, last: boolean): TextWindow => {
  const valid = isUtf8(bytes)
  const text = bytes.toString(valid ? "utf8" : "latin1")
  const plain = text.length === bytes.length
  return { start, bytes, text, plain, valid, last, largeIntegers: mayHoldLargeIntegers(bytes) }
}

/** Bytes of the characters from `from` up to `to`. */
export const byteLength = (window: TextWindow, from: number, to: number): number =>
  window.plain ? to - from : Buffer.byteLength(window.text.slice(from, to), "utf8")

/** The text of a record, `undefined` when its bytes are not UTF-8. */
export const decode = (window: TextWindow, from: number, to: number): string | undefined => {
  if (window.valid) return window.text.slice(from, to)
  const bytes = window.bytes.subarray(from, to)
  return isUtf8(bytes) ? bytes.toString("utf8") : undefined
}

/** Exactly these bytes. Fewer means the file has shrunk since it was opened. */
export const readFully = async (file: TextFile, start: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.allocUnsafeSlow(length)
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.handle.read(buffer, done, length - done, start + done)
    if (bytesRead === 0) throw sourceChanged(file.path, "it has become shorter while it was read")
    done += bytesRead
  }
  return buffer
}
