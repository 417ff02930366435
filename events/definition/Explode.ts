/**
 * A stage that makes many records of one.
 *
 * @module
 */
import { Effect, Schema } from "effect"

/**
 * One record for each element of the list in `field` (a path, joined by dots): the element itself, or with
 * `into` the record with the element in that field instead of the list. A record without a list, or with an
 * empty one, is dropped, kept as one record (with `into`, which is then null) or a dead letter; what is no list
 * and a list longer than `limit` make the record a dead letter. Batches are read so small that none can become
 * more than a million records.
 */
export const Explode = Schema.Struct({
  field: Schema.NonEmptyString,
  into: Schema.optionalKey(Schema.NonEmptyString),
  onEmpty: Schema.Literals(["drop", "keep", "dead_letter"]).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed("drop" as const))
  ),
  limit: Schema.Int.check(Schema.isGreaterThan(0)).pipe(Schema.withDecodingDefaultKey(Effect.succeed(10_000)))
})
  .pipe(Schema.encodeKeys({ onEmpty: "on_empty" }), Schema.annotateEncoded({ expected: "{ field: items }" }))
  .annotate({ description: "One record for each element of a list" })
export type Explode = typeof Explode.Type
