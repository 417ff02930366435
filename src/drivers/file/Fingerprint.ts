/**
 * A byte position that notices when its file has been replaced or edited.
 *
 * `byte` is the place, `row` the records before it; `head` hashes the file's first min(1024, byte) bytes
 * and `tail` the last min(64, byte) before the place. Growth behind the place is no change.
 *
 * @module
 */
import { hash } from "node:crypto"
import { Schema } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { misconfigured } from "./fileError.ts"

const BytePosition = Schema.Struct({
  byte: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  row: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  head: Schema.String,
  tail: Schema.String
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
