/**
 * One batch out of a file that is one JSON array.
 *
 * A batch ends at the comma or bracket behind its last element, wherever its limits and windows lie. An
 * element that is no JSON is a failure of its own. Where the structure is lost, because the file ends
 * before the array or goes on behind it, what is left is one last failure: an element counts only with
 * the delimiter that says it is whole. An element's size counts everything up to that delimiter.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import type { ReadLimit } from "../../Source.ts"
import { sourceChanged } from "../text/Fingerprint.ts"
import { omittedOfWindow } from "../text/rawOf.ts"
import { skipElement } from "../text/skipRecord.ts"
import { type Taken, tooLarge } from "../text/Taken.ts"
import { chunkBytes, type TextFile } from "../text/TextFile.ts"
import type { BatchRun, Place, Settled } from "../text/TextReader.ts"
import { byteLength, decode, loadText, meetBreak, type TextWindow } from "../text/TextWindow.ts"
import { parseExactly, UnsafeInteger } from "./exactIntegers.ts"
import { isLarge, markEnd } from "./NdjsonFormat.ts"
import { notAnArray } from "./notAnArray.ts"
import { closeBracket, comma, openBracket, ValueScan } from "./ValueScan.ts"

/** What may stand next: the array, its first element, a delimiter, an element, nothing more. */
type Expected = "array" | "first" | "delimiter" | "element" | "end"

export class ArrayRun implements BatchRun {
  readonly taken: Taken
  private readonly file: TextFile
  private readonly most: number
  private readonly limit: ReadLimit
  private readonly start: number
  private expected: Expected
  private hash: Hash = createHash("sha256")
  private byte: number
  private at: number
  private window: TextWindow | undefined
  /** The state behind the last element, kept while what follows it is passed. */
  private behind: { readonly hash: Hash; readonly byte: number } | undefined

  constructor(file: TextFile, most: number, taken: Taken, place: Place, limit: ReadLimit) {
    this.taken = taken
    this.file = file
    this.most = most
    this.limit = limit
    this.start = place.byte
    this.byte = place.byte
    this.at = place.at
    this.window = place.window
    this.expected = place.byte === 0 ? "array" : "delimiter"
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
    while (this.room > 0 && (this.byte < this.file.end || this.byte > this.start)) {
      if (this.byte === this.file.end) return this.endEarly()
      if (this.window === undefined || this.at === this.window.text.length) {
        this.at = 0
        this.window = undefined
        this.window = await loadText(this.file, this.byte, size)
        size = chunkBytes
      }
      const { window } = this
      const stopped = this.take(window)
      if (stopped === "full") return
      if (stopped !== "open") continue
      if (window.last) return this.failRest(window, this.at)
      if (window.broken !== undefined) await meetBreak(this.file, window.broken)
      const held = window.start + window.bytes.length - this.byte
      // The element is read again from its start, in a window twice as large.
      if (held > this.most) await this.skip()
      else {
        size = Math.max(chunkBytes, 2 * held)
        this.window = undefined
      }
    }
  }

  private get room(): number {
    return this.limit.records - this.taken.records.length
  }

  /** Takes whole elements. `open`: the one the reader now stands at goes on behind the window. */
  private take(window: TextWindow): "full" | "open" | "end" {
    const { text } = window
    const { records } = this.taken
    const most = this.limit.exactly === true ? Number.POSITIVE_INFINITY : this.limit.bytes
    const stopAt = this.at + most - (this.byte - this.start)
    this.taken.begin(window)
    let done = this.at
    let at = window.start === 0 && this.at === 0 ? markEnd(window) : this.at
    while (records.length < this.limit.records) {
      at = behindBlanks(text, at)
      if (at === text.length) {
        this.settle(window, done, at)
        return "end"
      }
      if (this.punctuation(text.charCodeAt(at))) {
        at++
        continue
      }
      const end = this.expected === "end" ? -1 : new ValueScan().find(text, at)
      if (end < 0) {
        this.settle(window, done, at)
        return "open"
      }
      if (records.length > 0 && end > stopAt) break
      this.add(window, at, end)
      this.expected = "delimiter"
      this.behind = undefined
      done = end
      at = end
    }
    this.pass(window, done)
    return "full"
  }

  /** Whether this character belongs to the array itself rather than to an element. */
  private punctuation(code: number): boolean {
    switch (this.expected) {
      case "array":
        if (code !== openBracket) throw notAnArray(this.file.path, String.fromCharCode(code))
        this.expected = "first"
        return true
      case "first":
        this.expected = code === closeBracket ? "end" : "element"
        return code === closeBracket
      case "delimiter":
        if (code !== comma && code !== closeBracket) {
          throw sourceChanged(this.file.path, "no comma follows the last element read")
        }
        this.expected = code === comma ? "element" : "end"
        return true
      default:
        return false
    }
  }

  private add(window: TextWindow, from: number, end: number): void {
    if (isLarge(window, from, end, this.most)) {
      const raw = omittedOfWindow(window, from, end)
      this.taken.addSkipped(raw, tooLarge(raw.size, this.most))
      this.taken.begin(window)
      return
    }
    const to = trimmed(window.text, from, end)
    const text = decode(window, from, to)
    if (text === undefined) {
      this.taken.fail({ code: "not_utf8", message: "the element is not valid UTF-8" }, from, to)
      return
    }
    try {
      this.taken.add(window.largeIntegers ? parseExactly(text) : JSON.parse(text), from, to)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.taken.fail(
        error instanceof UnsafeInteger
          ? { code: "unsafe_integer", message }
          : { code: "malformed_json", message: `the element is not JSON: ${message}` },
        from,
        to
      )
    }
  }

  /** Behind the last element, and on over what belongs to the batch only if another one follows. */
  private settle(window: TextWindow, done: number, to: number): void {
    this.pass(window, done)
    this.behind ??= { hash: this.hash.copy(), byte: this.byte }
    this.pass(window, to)
  }

  private pass(window: TextWindow, to: number): void {
    const length = byteLength(window, this.at, to)
    const offset = this.byte - window.start
    this.hash.update(window.bytes.subarray(offset, offset + length))
    this.byte += length
    this.at = to
  }

  /** The file ended between two elements. */
  private endEarly(): void {
    if (this.expected === "end") return
    this.taken.addSkipped({ encoding: "utf8", data: "", size: 0 }, this.lost)
    this.behind = undefined
  }

  private failRest(window: TextWindow, from: number): void {
    if (isLarge(window, from, window.text.length, this.most)) {
      this.taken.addSkipped(omittedOfWindow(window, from, window.text.length), this.lost)
    } else this.taken.fail(this.lost, from, trimmed(window.text, from, window.text.length))
    this.behind = undefined
    this.pass(window, window.text.length)
  }

  private async skip(): Promise<void> {
    // A copy, because skipping may fail half way.
    const digest = this.hash.copy()
    const scan = this.expected === "end" ? undefined : new ValueScan()
    const { closed, raw, to } = await skipElement(this.file, this.byte, scan, digest)
    this.hash = digest
    this.taken.addSkipped(raw, closed ? tooLarge(raw.size, this.most) : this.lost)
    this.expected = closed ? "delimiter" : "end"
    this.behind = undefined
    this.byte = to
    this.window = undefined
    this.at = 0
  }

  private get lost() {
    const message =
      this.expected === "end"
        ? "the array has ended and something follows it"
        : "the file ends before the array does"
    return { code: "malformed_json", message }
  }
}

const isBlank = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

const behindBlanks = (text: string, from: number): number => {
  let at = from
  while (at < text.length && isBlank(text.charCodeAt(at))) at++
  return at
}

const trimmed = (text: string, from: number, end: number): number => {
  let to = end
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return to
}
