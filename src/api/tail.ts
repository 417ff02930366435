/**
 * Records as they pass.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import { documented } from "./documented.ts"
import { Failure400, Failure404, Failure429, Failure503 } from "./failures.ts"
import { Count, nameInPath, Reason, Timestamp } from "./values.ts"

/**
 * A record at a stage: as it came, and as it went on (a list where it was split, `null` where nothing went on or
 * it went to a sink). `cut` says that one of them was too long to be told, and is `null` for that.
 */
export const TailedRecord = Schema.Struct({
  at: Timestamp,
  stage: Schema.String,
  source: Schema.String,
  offset: Count,
  before: Schema.Json,
  after: Schema.Json,
  outcome: Schema.Literals([
    "passed",
    "split",
    "filtered",
    "unrouted",
    "taken_in",
    "delivered",
    "dead_letter"
  ]),
  reason: Schema.NullOr(Reason),
  cut: Schema.Boolean
}).annotate({ identifier: "TailedRecord" })
export type TailedRecord = typeof TailedRecord.Type

/** So many records passed here that were not told: more came than were asked for, or the reader was slow. */
export const Dropped = Schema.Struct({ dropped: Count })

export const TailFrame = Schema.Struct({
  event: Schema.Literals(["record", "dropped"]),
  data: Schema.fromJsonString(Schema.Union([TailedRecord, Dropped]))
})
export type TailFrame = typeof TailFrame.Type

/** Records a second: by default, and the most that may be asked for. */
export const tailRateByDefault = 100
export const tailRateMost = 1000

export const tail = HttpApiEndpoint.get("tailPipeline", "/v0/pipelines/:name/tail", {
  params: nameInPath,
  query: {
    stage: Schema.optionalKey(Schema.Array(Schema.String)),
    where: Schema.optionalKey(Schema.String),
    rate: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: tailRateMost })))
  },
  success: HttpApiSchema.StreamSse({ events: TailFrame }),
  error: [Failure400, Failure404, Failure429, Failure503]
}).annotateMerge(
  documented({
    summary: "Records as they pass",
    description:
      "Live, as `text/event-stream`: frames `record` with what came to a stage, what went on and what became of it, and " +
      "frames `dropped` with how many passed in between and are not told. `stage` may be given several times; without it, " +
      "what goes into the sinks. `where` is a condition (CEL) over the record as it comes to the stage. At most `rate` " +
      "records a second are told (100); nobody waits for a slow reader. Nothing is told of what was before, and the " +
      "stream goes on from run to run. Asks for `operate`: it shows every record. Too many readers: 429.",
    example: { call: "GET /v0/pipelines/delayed-flights/tail?stage=shaped&where=record.delay%3E60" }
  })
)
