/**
 * A stage that enriches records from a table.
 *
 * @module
 */
import { Effect, Schema } from "effect"

/**
 * Enrichment from a table held by a driver. `match` maps a field of the record to a column of the
 * table, `into` is the field the found row goes to (without it the row's columns join the record),
 * `take` the columns wanted (all, when absent).
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
    default: Schema.optionalKey(Schema.Json)
  }),
  [Schema.Record(Schema.String, Schema.Json)]
)
export type Lookup = typeof Lookup.Type
