/**
 * Gets past a record that is too large to hold: it is hashed in passing, never kept.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto"
import type { Raw } from "../../../events/PipelineEvent.ts"
import { chunkBytes, readFully, type TextFile } from "./TextWindow.ts"

export interface Skipped {
  /** Offset behind the newline that ended it. */
  readonly to: number
  readonly raw: Raw
}

/**
 * The record starts at `start` and ends at the first newline that is at least `most` bytes away, so the
 * place to go on does not depend on how the file was cut into windows. `digest` sees every byte passed.
 */
export const skipRecord = async (
  file: TextFile,
  start: number,
  most: number,
  digest: Hash
): Promise<Skipped> => {
  const own = createHash("sha256")
  let size = 0
  for (let at = start; at < file.end; ) {
    const bytes = await readFully(file, at, Math.min(chunkBytes, file.end - at))
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

const omitted = (size: number, own: Hash): Raw => ({
  encoding: "omitted",
  data: "",
  size,
  digest: own.digest("hex")
})
