/**
 * A place in a spool, between two records.
 *
 * @module
 */
import { Schema } from "effect"

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * `ordinal` is the number of records before it since the spool began and says all by itself; `offset`, in bytes
 * of the segment's text, saves looking for it. `spool` names the spool: one that was made anew is another.
 */
export const SpoolPlace = Schema.Struct({
  spool: Schema.String,
  segment: count,
  offset: count,
  ordinal: count
})
export type SpoolPlace = typeof SpoolPlace.Type

export const isSpoolPlace = Schema.is(SpoolPlace)
