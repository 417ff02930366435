/**
 * What becomes of records that could not be handled.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { Use } from "./Use.ts"

/**
 * More than `threshold` dead letters among the last `window` records of a source stop the run; 0 = no limit.
 * With a `sink` they are written there too, once they count.
 */
export const DeadLetters = Schema.Struct({
  window: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100))
  ),
  threshold: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(10))
  ),
  sink: Schema.optionalKey(Use)
})
