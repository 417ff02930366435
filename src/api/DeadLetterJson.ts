/**
 * A dead letter as it leaves the service: in a list, among those of its cause, and with its whole story.
 *
 * @module
 */
import { Schema } from "effect"
import { Raw } from "../../events/PipelineEvent.ts"
import { Difference } from "./timeTravel.ts"
import { Count, Reason, Timestamp } from "./values.ts"

const Text = Schema.String

/**
 * The same as `millrace dead-letters … list --json`. Where `source` is several that are read as one, `origin` is
 * the one the record is of, with its ordinal there.
 */
export const DeadLetterJson = Schema.Struct({
  id: Text,
  run: Text,
  stage: Text,
  source: Text,
  offset: Count,
  reason: Reason,
  /** How often it was not handled. */
  attempts: Count,
  /** The sinks that are owed it. */
  branches: Schema.Array(Text),
  batch: Count,
  raw: Raw,
  /** How many redrives it has had. */
  redrives: Count,
  /** One of them is not through. */
  redriving: Schema.Boolean,
  origin: Schema.optionalKey(Schema.Struct({ source: Text, offset: Count }))
}).annotate({ identifier: "DeadLetter" })
export type DeadLetterJson = typeof DeadLetterJson.Type

/** Letters with one code at one stage whose messages differ in their values alone. */
export const DeadLetterCause = Schema.Struct({
  code: Text,
  stage: Text,
  /** `…` stands for what differs. */
  message: Text,
  count: Count,
  redriving: Count,
  first: Schema.Struct({ id: Text, at: Timestamp }),
  last: Schema.Struct({ id: Text, at: Timestamp }),
  /** The first one; its record is cut after 1024 characters. */
  example: DeadLetterJson
}).annotate({ identifier: "DeadLetterCause" })
export type DeadLetterCause = typeof DeadLetterCause.Type

export const RedriveOutcomeName = Schema.Literals([
  "left",
  "partly",
  "nacked",
  "open",
  "withdrawn",
  "discarded"
])
export const BranchFate = Schema.Literals(["applied", "filtered", "unrouted", "lettered", "open"])

const Edit = Schema.Struct({ payload: Schema.Json, changes: Schema.Array(Difference) })

/** One letter from the moment it was read, also when it has left. */
export const DeadLetterStory = Schema.Struct({
  ...DeadLetterJson.fields,
  status: Schema.Literals(["standing", "redriving", "redriven", "discarded", "void"]),
  /** Every time it was not handled, oldest first; `redrive` is 0 for its batch. */
  reasons: Schema.Array(
    Schema.Struct({
      at: Timestamp,
      version: Count,
      by: Text,
      redrive: Count,
      stage: Text,
      branches: Schema.Array(Text),
      reason: Reason
    })
  ),
  history: Schema.Array(
    Schema.Struct({
      redrive: Count,
      requested_at: Timestamp,
      version: Count,
      by: Text,
      reason: Text,
      edit: Schema.NullOr(Edit),
      outcome: RedriveOutcomeName,
      branches: Schema.Record(Text, BranchFate),
      settled_at: Schema.NullOr(Timestamp)
    })
  ),
  discarded: Schema.NullOr(Schema.Struct({ at: Timestamp, by: Text, reason: Text }))
}).annotate({ identifier: "DeadLetterStory" })
export type DeadLetterStory = typeof DeadLetterStory.Type
