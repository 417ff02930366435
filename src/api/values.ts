/**
 * The small values that many answers are made of.
 *
 * @module
 */
import { Schema } from "effect"

/** ISO 8601 in UTC. */
export const Timestamp = Schema.String.annotate({ format: "date-time" })

/** Counts from 0. */
export const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Why something went wrong: a stable code, what happened and, where there is one, a way out. */
export const Reason = Schema.Struct({
  code: Schema.String,
  message: Schema.String,
  suggestion: Schema.optionalKey(Schema.String)
})

/** A text that is not empty where one was given; `null` is the same as leaving it out. */
export const OptionalText = Schema.optionalKey(Schema.NullOr(Schema.String))

/** Asks what would happen, and changes nothing. */
export const DryRun = Schema.optionalKey(Schema.Boolean)

/** A value that is kept as it was sent, and that every reader of the log can take. */
export const FreeJson = Schema.Json.check(
  Schema.makeFilter((value) => isPlain(value) || "with a key like __proto__, which is no name here")
)

/** The server has bounded how deep a body is nested. */
const isPlain = (value: Schema.Json): boolean => {
  if (typeof value !== "object" || value === null) return true
  if (!Array.isArray(value) && reservedKeys.some((key) => Object.hasOwn(value, key))) return false
  return Object.values(value).every(isPlain)
}

const reservedKeys = ["__proto__", "constructor", "prototype"]

/** Such values by name. */
export const FreeRecord = Schema.Record(
  Schema.String.check(Schema.isPattern(/^(?!(?:__proto__|constructor|prototype)$)/)),
  FreeJson
)

/** The name of a pipeline in a path. */
export const nameInPath = { name: Schema.String }

/** Most items of one page. */
export const pageMost = 1000

export const pageQuery = {
  limit: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: pageMost })))
}

/** The answer to the same key is the first answer; the last 1,000 keys of a pipeline are remembered. */
export const idempotencyKey = {
  "idempotency-key": Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^[\x21-\x7e]{1,200}$/, { message: "1 to 200 visible ASCII characters" })
    )
  )
}

/** `*`, or one or several quoted versions of the definition. */
export const ifMatch = { "if-match": Schema.optionalKey(Schema.String) }
