/**
 * A driver as a definition names it.
 *
 * @module
 */
import { Schema } from "effect"

/** A driver by name and its own settings, which its own schema checks. */
export const Use = Schema.StructWithRest(Schema.Struct({ use: Schema.NonEmptyString }), [
  Schema.Record(Schema.String, Schema.Json)
])
export type Use = typeof Use.Type
