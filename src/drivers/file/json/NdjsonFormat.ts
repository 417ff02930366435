/**
 * One JSON value a line.
 *
 * Lines of nothing but spaces, tabs or a carriage return hold no record and are passed over. A carriage
 * return before the newline and a byte order mark at the start of the file are tolerated. Keys like
 * `__proto__` become plain own properties, which is what `JSON.parse` does. An integer beyond 2^53 is a
 * failure: it could only be rounded.
 *
 * @module
 */

import type { RecordFormat, TakeLimit, TakeResult } from "../text/LineRun.ts"
import type { Taken } from "../text/Taken.ts"
import { byteLength, decode, type TextWindow } from "../text/TextWindow.ts"
import { parseExactly, UnsafeInteger } from "./exactIntegers.ts"

export const ndjsonFormat: RecordFormat = {
  take(window: TextWindow, at: number, limit: TakeLimit, into: Taken): TakeResult {
    const { text } = window
    const size = text.length
    const stopAt = at + limit.characters
    let left = limit.records
    let behind = at
    for (let start = at; start < size; ) {
      const newline = text.indexOf("\n", start)
      const end = newline < 0 ? size : newline
      const next = newline < 0 ? size : newline + 1
      if (left < limit.records && end > stopAt) return { at: behind, stopped: "full" }
      if (isLarge(window, start, end, limit.most)) return { at: start, stopped: "too_large" }
      if (parseLine(window, start === 0 ? markEnd(window) : start, end, into)) {
        behind = next
        if (--left === 0) return { at: behind, stopped: "full" }
      }
      start = next
    }
    return { at: behind, stopped: "end" }
  }
}

/** A character is at most three bytes of UTF-8, so most lines need no counting. */
export const isLarge = (window: TextWindow, from: number, to: number, most: number): boolean =>
  (to - from) * 3 > most && byteLength(window, from, to) > most

/** Behind the byte order mark, where the window is the file's first and has one. */
export const markEnd = (window: TextWindow): number => {
  if (window.start !== 0) return 0
  if (window.text.charCodeAt(0) === 0xfeff) return 1
  return !window.valid && window.text.startsWith("\u00ef\u00bb\u00bf") ? 3 : 0
}

/** Adds the line's record; `false` when the line is blank. */
const parseLine = (window: TextWindow, from: number, to: number, into: Taken): boolean => {
  if (to <= from) return false
  const line = window.valid ? window.text.slice(from, to) : decode(window, from, to)
  if (line === undefined) {
    into.fail({ code: "not_utf8", message: "the line is not valid UTF-8" }, from, to)
    return true
  }
  try {
    into.add(window.largeIntegers ? parseExactly(line) : JSON.parse(line), from, to)
    return true
  } catch (error) {
    if (error instanceof UnsafeInteger) {
      into.fail({ code: "unsafe_integer", message: error.message }, from, to)
      return true
    }
    if (blank.test(line)) return false
    const message = `the line is not JSON: ${error instanceof Error ? error.message : String(error)}`
    into.fail({ code: "malformed_json", message }, from, to)
    return true
  }
}

const blank = /^[ \t\r]*$/
