/**
 * The lines of a file, a page at a time.
 *
 * @module
 */
import { createReadStream } from "node:fs"

export interface Line {
  /** Counted from 1. */
  readonly number: number
  readonly text: string
}

/** Bytes of the longest line that is held. */
export const maxLineBytes = 256 * 1024 * 1024

export class LineTooLong extends Error {}

/** Lines that are not blank. Throws what the file system throws, and `LineTooLong`. */
export const readLines = async function* (path: string): AsyncGenerator<ReadonlyArray<Line>> {
  let number = 0
  let held: Array<Buffer> = []
  let size = 0
  const line = (bytes: Buffer): Array<Line> => {
    number += 1
    const text = bytes.toString("utf8").trim()
    return text === "" ? [] : [{ number, text }]
  }
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    const page: Array<Line> = []
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      page.push(...line(Buffer.concat([...held, chunk.subarray(from, end)])))
      held = []
      size = 0
      from = end + 1
    }
    if (from < chunk.length) held.push(chunk.subarray(from))
    size += chunk.length - from
    if (size > maxLineBytes) {
      throw new LineTooLong(`line ${number + 1} is longer than ${maxLineBytes} bytes`)
    }
    if (page.length > 0) yield page
  }
  const rest = line(Buffer.concat(held))
  if (rest.length > 0) yield rest
}
