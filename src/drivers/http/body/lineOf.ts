/**
 * The line of a body that the next record begins on.
 *
 * @module
 */
import type { Body } from "./Body.ts"

/** Counted from 1. What stands between `byte` and the record is white space, a comma, or the bracket of an array. */
export const lineOf = async (body: Body, byte: number): Promise<number> => {
  let line = 1
  let at = 0
  for await (const chunk of body.chunks(0)) {
    for (const code of chunk) {
      if (at >= byte && !between.has(code)) return line
      if (code === lineFeed) line++
      at++
    }
  }
  return line
}

const lineFeed = 10
/** Byte order mark included, which only a body's beginning has. */
const between: ReadonlySet<number> = new Set([...Buffer.from(" \t\r\n,["), 0xef, 0xbb, 0xbf])
