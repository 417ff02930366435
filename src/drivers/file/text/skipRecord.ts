/**
 * Gets past a record that is too large to hold: it is hashed in passing, never kept.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import type { Raw } from "../../../../events/PipelineEvent.ts"
import type { ValueScan } from "../json/ValueScan.ts"
import { chunkBytes, type TextFile } from "./TextFile.ts"

export interface Skipped {
  /** Offset at which reading goes on: behind the newline, or at the delimiter. */
  readonly to: number
  readonly raw: Raw
}

/**
 * The record starts at `start` and ends at the first newline that is at least `most` bytes away, so the
 * place to go on does not depend on how the file was cut into windows. `digest` sees every byte passed.
 */
export const skipLine = async (
  file: TextFile,
  start: number,
  most: number,
  digest: Hash
): Promise<Skipped> => {
  const own = createHash("sha256")
  let size = 0
  for (let at = start; at < file.end; ) {
    const bytes = await file.read(at, chunkBytes)
    const newline = bytes.indexOf(10, Math.max(0, start + most - at))
    const length = newline < 0 ? bytes.length : newline
    const passed = newline < 0 ? length : length + 1
    own.update(bytes.subarray(0, length))
    digest.update(bytes.subarray(0, passed))
    size += length
    at += passed
    if (newline >= 0) return { to: at, raw: omitted(size, own) }
  }
  return { to: file.end, raw: omitted(size, own) }
}

/**
 * The element of an array that starts at `start` and ends before the delimiter `scan` finds; without a
 * scan it is all the file still has. `closed` when there was a delimiter.
 */
export const skipElement = async (
  file: TextFile,
  start: number,
  scan: ValueScan | undefined,
  digest: Hash
): Promise<Skipped & { readonly closed: boolean }> => {
  const own = createHash("sha256")
  for (let at = start; at < file.end; ) {
    const bytes = await file.read(at, chunkBytes)
    // What structures JSON is ASCII, which no byte of another character is.
    const delimiter = scan === undefined ? -1 : scan.find(bytes.toString("latin1"), 0)
    const passed = bytes.subarray(0, delimiter < 0 ? bytes.length : delimiter)
    own.update(passed)
    digest.update(passed)
    at += passed.length
    if (delimiter >= 0) return { to: at, raw: omitted(at - start, own), closed: true }
  }
  return { to: file.end, raw: omitted(file.end - start, own), closed: false }
}

/** A record's size and digest, which is all that is kept of it. */
const omitted = (size: number, own: Hash): Raw => ({
  encoding: "omitted",
  data: "",
  size,
  digest: own.digest("hex")
})
