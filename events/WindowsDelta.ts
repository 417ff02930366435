/**
 * What a batch adds to the windows of an aggregating stage, as a seal remembers it.
 *
 * @module
 */
import { Schema } from "effect"
import { Json } from "./Json.ts"

/** Part of an exact sum. Beyond 2^970 not even as many as there are safe integers would stay numbers. */
const Part = Schema.Finite.check(Schema.isBetween({ minimum: -(2 ** 970), maximum: 2 ** 970 }))

/**
 * What is known so far of one measure of one window; any two of them can be put together.
 *
 * - `sum` is exact: the number that is meant is the sum of the list, largest part first, none for zero.
 * - `avg` is such a sum, of `of` numbers.
 * - `min` and `max` are null where no record had a value.
 * - `first` and `last` hold the value with the earliest and the latest event time `at` (ms, null for none).
 * - `collect` holds at most `limit` values, each behind the ordinal of its arrival.
 */
export const Measured = Schema.Union([
  Schema.Struct({ count: Schema.Int }),
  Schema.Struct({ sum: Schema.Array(Part) }),
  Schema.Struct({ avg: Schema.Array(Part), of: Schema.Int }),
  Schema.Struct({ min: Schema.NullOr(Schema.Union([Schema.Finite, Schema.String])) }),
  Schema.Struct({ max: Schema.NullOr(Schema.Union([Schema.Finite, Schema.String])) }),
  Schema.Struct({ first: Json, at: Schema.NullOr(Schema.Finite) }),
  Schema.Struct({ last: Json, at: Schema.NullOr(Schema.Finite) }),
  Schema.Struct({ collect: Schema.Array(Schema.Tuple([Schema.Int, Json])), limit: Schema.Int })
])
export type Measured = typeof Measured.Type

/**
 * One window of one group: from `start` up to, not including, `end` (ms since 1970), what was measured in the
 * order of the stage's `make`. `key` is the canonical JSON text of the list of the group's values.
 */
export const WindowOfGroup = Schema.Struct({
  key: Schema.String,
  start: Schema.Int,
  end: Schema.Int,
  made: Schema.Array(Measured)
})
export type WindowOfGroup = typeof WindowOfGroup.Type

/**
 * `records` were taken in; each window of a group that they touched stands here once, with their share alone,
 * those of a group in the order of their start. Ordinals of arrival count from 0 within the delta. Windows of
 * a group that overlap become one where they are `sessions`; else they are told apart by their start.
 */
export const WindowsDelta = Schema.Struct({
  records: Schema.Int,
  sessions: Schema.Boolean,
  windows: Schema.Array(WindowOfGroup)
})
export type WindowsDelta = typeof WindowsDelta.Type
