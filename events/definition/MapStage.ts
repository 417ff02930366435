/**
 * A stage that makes one record of each.
 *
 * @module
 */
import { Schema } from "effect"
import { Expression } from "./Text.ts"

/** Field names with an expression each. */
export const Expressions = Schema.Record(Schema.String, Expression).annotate({
  expected: "field names with an expression each"
})

/** A new payload field by field, or an edit of the old one: `set` fields to expressions, `drop` names. */
const MapEdit = Schema.Struct({
  set: Schema.optionalKey(Expressions),
  drop: Schema.optionalKey(Schema.Array(Schema.String))
})
export const isMapEdit = (map: MapStage): map is typeof MapEdit.Type =>
  Object.keys(map).length > 0 &&
  Object.entries(map).every(
    ([key, value]) => (key === "set" && typeof value === "object") || (key === "drop" && Array.isArray(value))
  )
// Expressions first: an edit never decodes as them, while a struct of optional keys would take anything.
export const MapStage = Schema.Union([Expressions, MapEdit]).annotate({
  expected: "field names with an expression each, or { set, drop }",
  description: "The new payload, field by field; or an edit of the old one: { set, drop }"
})
export type MapStage = typeof MapStage.Type
