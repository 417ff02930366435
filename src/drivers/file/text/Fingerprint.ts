/**
 * A byte position that notices when its file has been replaced or edited.
 *
 * `byte` is the place, `row` the records before it; `head` hashes the file's first min(1024, byte) bytes
 * and `tail` the last min(64, byte) before the place. Growth behind the place is no change.
 *
 * Of a compressed file these are decompressed bytes; `gzip` adds its own size and the hash of its first
 * KiB. It too may grow, by members appended or by a copy that was not finished.
 *
 * @module
 */
import { hash } from "node:crypto"
import { Schema } from "effect"
import type { Position } from "../../../../events/Checkpoint.ts"
import { misconfigured } from "../fileError.ts"

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const BytePosition = Schema.Struct({
  byte: count,
  row: count,
  head: Schema.String,
  tail: Schema.String,
  gzip: Schema.optionalKey(Schema.Struct({ size: count, head: Schema.String }))
})
export type BytePosition = typeof BytePosition.Type

export const headBytes = 1024
export const tailBytes = 64

/** Sixteen hex digits of SHA-256: enough to notice a change, short enough for every batch's event. */
export const shortHash = (bytes: Uint8Array): string => hash("sha256", bytes, "hex").slice(0, 16)

const isBytePosition = Schema.is(BytePosition)

/** Throws a DriverError when the position was not written by a text reader. */
export const readPosition = (position: Position): BytePosition => {
  if (isBytePosition(position)) return position
  throw misconfigured(
    "open",
    "source_changed",
    "the recorded position is not one of a text file",
    "the source was probably of another kind or format; start a new run"
  )
}

export const sourceChanged = (path: string, why: string) =>
  misconfigured(
    "open",
    "source_changed",
    `${path} is not the file that was being read: ${why}`,
    "put the original file back, or start a new run to read this one from its beginning"
  )
