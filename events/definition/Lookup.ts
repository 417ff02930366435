/**
 * A stage that enriches records from a table.
 *
 * @module
 */
import { Effect, Schema } from "effect"
import { DurationMs } from "./Duration.ts"

/**
 * What is remembered of a table that is asked: the `size` rows used last, each for `ttl` after it was
 * found (ms once decoded), and that there was none for `missTtl`. `size: 0` remembers nothing.
 */
export const LookupCache = Schema.Struct({
  size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(10_000))
  ),
  ttl: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("1m"))),
  missTtl: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10s")))
})
  .pipe(Schema.encodeKeys({ missTtl: "miss_ttl" }))
  .annotate({ description: "What is remembered of a table that is asked" })
export type LookupCache = typeof LookupCache.Type

/** How a table is asked: at most `keys` in a call, so many calls of a batch at a time, each within `timeout` (ms). */
export const LookupAsk = Schema.Struct({
  keys: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 10_000 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(500))
  ),
  concurrency: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 64 })).pipe(
    Schema.withDecodingDefaultKey(Effect.succeed(2))
  ),
  timeout: DurationMs.pipe(Schema.withDecodingDefaultKey(Effect.succeed("10s")))
}).annotate({ description: "How a table that is far away is asked" })
export type LookupAsk = typeof LookupAsk.Type

/**
 * Enrichment from a table held by a driver. `match` maps a field of the record to a column of the
 * table, `into` is the field the found row goes to (without it the row's columns join the record),
 * `take` the columns wanted (all, when absent). `cache` and `ask` are for tables that are not held in
 * memory; without them the defaults hold.
 */
export const Lookup = Schema.StructWithRest(
  Schema.Struct({
    use: Schema.NonEmptyString,
    match: Schema.Record(Schema.String, Schema.String),
    into: Schema.optionalKey(Schema.String),
    take: Schema.optionalKey(Schema.Array(Schema.String)),
    on_miss: Schema.Literals(["pass_through", "drop", "dead_letter", "default"]).pipe(
      Schema.withDecodingDefaultKey(Effect.succeed("pass_through" as const))
    ),
    default: Schema.optionalKey(Schema.Json),
    cache: Schema.optionalKey(LookupCache),
    ask: Schema.optionalKey(LookupAsk)
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
export type Lookup = typeof Lookup.Type

/** The part of a lookup that its driver reads: `use` and the driver's own settings. */
export const lookupUse = (lookup: Lookup): { readonly use: string; readonly [key: string]: Schema.Json } => {
  const { ask, cache, default: fallback, into, match, on_miss, take, ...use } = lookup
  return use
}
