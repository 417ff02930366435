/**
 * A stage that lets each record through once.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"
import { Expression } from "./Text.ts"

/**
 * Of records with an equal `key` the first goes on, the others are filtered. The last `remember` keys are
 * known; with `within` (ms of event time) only those of that span before the record.
 */
export const Dedupe = Schema.Struct({
  key: Expression,
  remember: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(100_000))
  ),
  within: Schema.optionalKey(DurationMs)
}).annotate({ expected: "{ key: record.id }", description: "Lets each record through once, by its key" })
export type Dedupe = typeof Dedupe.Type
