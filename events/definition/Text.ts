/**
 * The texts a definition is made of: names and expressions.
 *
 * @module
 */
import { Schema } from "effect"

/** Names of pipelines and stages. */
export const namePattern = /^[a-zA-Z0-9_-]{1,100}$/u
export const Name = Schema.String.check(
  Schema.isPattern(namePattern, { message: "1 to 100 letters, digits, _ or -" })
).annotate({ identifier: "Name", description: "1 to 100 letters, digits, _ or -" })

/** A CEL expression over `record`, `metadata`, `key` and `event_time`. */
export const Expression = Schema.String.check(Schema.isMinLength(1, { message: "an expression" })).annotate({
  identifier: "Expression",
  description: "A CEL expression over record, metadata, key and event_time"
})
