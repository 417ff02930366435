/**
 * What records look like, as data.
 *
 * @module
 */
import { Schema } from "effect"

/**
 * What the records of a stage look like: either a JSON Schema (an object with a `type` that names a
 * JSON type, `$ref`, `properties`, `anyOf` …) or the short form, field names to
 * `string | number | integer | boolean | object | array | any`, with `?` behind a field that may be absent or null.
 */
export const Contract = Schema.Record(Schema.String, Schema.Json).annotate({
  identifier: "Contract",
  description:
    "Field names to string, number, integer, boolean, object, array or any, with ? behind what may be absent; or a JSON Schema"
})
export type Contract = typeof Contract.Type
