/**
 * The state as it was, what changed between two moments, and why things are as they are.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { documented } from "./documented.ts"
import { Failure400, Failure404, Failure503 } from "./failures.ts"
import { Count, nameInPath, Timestamp } from "./values.ts"

const pathOf = <const What extends string>(what: What) => `/v0/pipelines/:name/${what}` as const

export const PastState = Schema.Struct({ version: Count, at: Schema.NullOr(Timestamp), state: Schema.Json })
export type PastState = typeof PastState.Type

export const state = HttpApiEndpoint.get("getState", pathOf("state"), {
  params: nameInPath,
  query: { version: Schema.optionalKey(Count), at: Schema.optionalKey(Timestamp) },
  success: PastState,
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "The state as it was",
    description:
      "After the event with this version, or at this time; the present state when neither is given.",
    example: { response: { version: 12, at: "2026-11-21T08:00:02.000Z", state: { lifecycle: "Triggered" } } }
  })
)

const Place = Schema.Struct({ version: Count, at: Schema.NullOr(Timestamp) })

/** `before` is absent for what is new, `after` for what is gone. Open batches are named by their ordinal. */
export const Difference = Schema.Struct({
  path: Schema.String,
  before: Schema.optionalKey(Schema.Json),
  after: Schema.optionalKey(Schema.Json)
})

export const StateDiff = Schema.Struct({ from: Place, to: Place, differences: Schema.Array(Difference) })
export type StateDiff = typeof StateDiff.Type

export const diff = HttpApiEndpoint.get("getDiff", pathOf("diff"), {
  params: nameInPath,
  query: { from: Schema.String, to: Schema.String },
  success: StateDiff,
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "What changed between two moments",
    description: "`from` and `to` are versions or ISO 8601 times, in either order.",
    example: {
      response: {
        from: { version: 11, at: "2026-11-21T08:00:01.000Z" },
        to: { version: 12, at: "2026-11-21T08:00:02.000Z" },
        differences: [{ path: "/lifecycle", before: "Idle", after: "Triggered" }]
      }
    }
  })
)

/** An event that led to the next: `command`, they were decided together; `state`, the one brought about what the other acts on. */
export const Cause = Schema.Struct({
  version: Count,
  at: Timestamp,
  type: Schema.String,
  by: Schema.String,
  says: Schema.String,
  follows: Schema.NullOr(Schema.Literals(["command", "state"])),
  event_id: Schema.String,
  causation_id: Schema.NullOr(Schema.String),
  correlation_id: Schema.NullOr(Schema.String)
})

const caused = {
  /** Oldest first: who asked, and what followed. */
  because: Schema.Array(Cause),
  /** Events that were left out behind the first, of a chain that is very long. */
  omitted: Count
}

export const Why = Schema.Struct({
  version: Count,
  desired: Schema.Struct({ value: Schema.String, ...caused }),
  deployment: Schema.Struct({ value: Schema.String, ...caused }),
  lifecycle: Schema.Struct({ value: Schema.String, ...caused }),
  run: Schema.Struct({ value: Schema.NullOr(Schema.String), ...caused })
})
export type Why = typeof Why.Type

const exampleCause = {
  version: 2,
  at: "2026-11-21T08:00:00.000Z",
  type: "DesiredStatusSet",
  by: "deploy-bot",
  says: "wanted Running",
  follows: null,
  event_id: "01JD6V3M2S0000000000000000",
  causation_id: null,
  correlation_id: "01JD6V3M2S0000000000000001"
}

export const why = HttpApiEndpoint.get("getWhy", pathOf("why"), {
  params: nameInPath,
  success: Why,
  error: [Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "Why it is in this state",
    description:
      "For each of its statuses the events that led there, from whoever asked to the last thing that happened.",
    example: {
      response: {
        version: 2,
        desired: { value: "Running", because: [exampleCause], omitted: 0 },
        deployment: { value: "Shutdown", because: [], omitted: 0 },
        lifecycle: { value: "Idle", because: [], omitted: 0 },
        run: { value: null, because: [], omitted: 0 }
      }
    }
  })
)
