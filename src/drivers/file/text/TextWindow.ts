/**
 * A stretch of a text file in memory, decoded at once.
 *
 * When the bytes are not all UTF-8 the text is latin1, one character per byte, so that the structure is
 * still found by the same loops; `decode` then looks at each record's own bytes.
 *
 * @module
 */
import { isUtf8 } from "node:buffer"
import { mayHoldLargeIntegers } from "../json/exactIntegers.ts"
import type { TextFile } from "./TextFile.ts"

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
  /** Where the file cannot be read on, if the window is shorter than was asked for because of that. */
  readonly broken: number | undefined
  /** Some integer in it may be beyond what a number holds exactly. */
  readonly largeIntegers: boolean
}

/**
 * Whole lines from `start` on, about `size` bytes of them (more, when the first line is longer), or
 * `undefined` when no line ends within `size` and `most` bytes.
 */
export const loadLines = async (
  file: TextFile,
  start: number,
  size: number,
  most: number
): Promise<TextWindow | undefined> => {
  for (let want = size; ; want *= 2) {
    const read = await file.read(start, want)
    const last = start + read.length === file.end
    const broken = !last && read.length < want ? start + read.length : undefined
    const whole = last ? read.length : read.lastIndexOf(10) + 1
    if (whole > 0) return decodeWindow(start, read.subarray(0, whole), last, broken)
    if (broken !== undefined) await meetBreak(file, broken)
    if (read.length > most) return undefined
  }
}

/** Whole characters from `start` on, about `size` bytes of them. */
export const loadText = async (file: TextFile, start: number, size: number): Promise<TextWindow> => {
  const read = await file.read(start, size)
  const last = start + read.length === file.end
  const whole = last ? read.length : wholeCharacters(read)
  const broken = !last && read.length < size ? start + read.length : undefined
  return decodeWindow(start, read.subarray(0, whole), last, broken)
}

/** Bytes that stood somewhere in a file, as a window that is all of them; they are not the beginning of it. */
export const windowOf = (bytes: Buffer): TextWindow => decodeWindow(1, bytes, true, undefined)

/** Rejects with what keeps the file from being read on: there is more, and not a byte can be had. */
export const meetBreak = async (file: TextFile, at: number): Promise<void> => {
  await file.read(at, 1)
}

/** Length without a character that is cut off at the end. What is no UTF-8 is not cut. */
const wholeCharacters = (bytes: Buffer): number => {
  for (let back = 1; back <= Math.min(3, bytes.length - 1); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) break
    if (byte < 0xc0) continue
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return back < needed ? bytes.length - back : bytes.length
  }
  return bytes.length
}

const decodeWindow = (
  start: number,
  bytes: Buffer,
  last: boolean,
  broken: TextWindow["broken"]
): TextWindow => {
  const valid = isUtf8(bytes)
  const text = bytes.toString(valid ? "utf8" : "latin1")
  const plain = text.length === bytes.length
  return { start, bytes, text, plain, valid, last, broken, largeIntegers: mayHoldLargeIntegers(bytes) }
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
