/**
 * What happened: the log, the state as it was, runs, checkpoints, ticks and numbers.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { EventFrame, EventPage } from "./EventJson.ts"
import { exampleEvent } from "./examples.ts"
import { Failure400, Failure404, Failure503 } from "./failures.ts"
import { Run } from "./Run.ts"
import { Stats } from "./Stats.ts"
import { schedule } from "./schedule.ts"
import { tail } from "./tail.ts"
import { diff, state, why } from "./timeTravel.ts"
import { Count, nameInPath, pageQuery, Timestamp } from "./values.ts"

const pathOf = <const What extends string>(what: What) => `/v0/pipelines/:name/${what}` as const

const stats = HttpApiEndpoint.get("getStats", pathOf("stats"), {
  params: nameInPath,
  success: Stats,
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "How the pipeline is doing",
    description: "Counts, lag, throughput and watermarks of the current run, stage by stage.",
    example: {
      response: {
        run: "01JD6V3M2S0000000000000000",
        lifecycle: "Running",
        deployment_status: "Running",
        totals: { read: 9000, delivered: 800, filtered: 8198, unrouted: 0, dead_lettered: 2, batches: 9 },
        watermark: "2001-01-13T05:20:00.000Z",
        in_flight: { batches: 1, records: 1000 },
        records_per_second: 210000.5,
        stages: [
          {
            stage: "store",
            batches: 8,
            records: 800,
            lag_ms_last: 12,
            lag_ms_max: 30,
            lag_ms_mean: 14.5,
            retries: 0,
            duplicates: 0
          }
        ],
        sources: [
          {
            source: "flights",
            sealed_offset: 9000,
            settled_offset: 8000,
            watermark: "2001-01-13T05:20:00.000Z",
            progress: { done: 1_024_000, total: 4_096_000, unit: "bytes" }
          }
        ]
      }
    }
  })
)

const events = HttpApiEndpoint.get("getEvents", pathOf("events"), {
  params: nameInPath,
  query: {
    after: Schema.optionalKey(Count),
    ...pageQuery,
    type: Schema.optionalKey(Schema.Array(Schema.String))
  },
  headers: { "last-event-id": Schema.optionalKey(Count) },
  success: [EventPage, HttpApiSchema.StreamSse({ events: EventFrame })],
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "The log of a pipeline",
    description:
      "A JSON page after version `after`; `next` is the `after` of the following page. With `Accept: text/event-stream` " +
      "what there is and then what comes: the id of a frame is the event's version, and `Last-Event-ID` resumes exactly behind it.",
    example: { response: { events: [exampleEvent], next: 12 } }
  })
)

const runs = HttpApiEndpoint.get("getRuns", pathOf("runs"), {
  params: nameInPath,
  query: pageQuery,
  success: Schema.Struct({ runs: Schema.Array(Run) }),
  error: [Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "The runs a pipeline has had",
    description: "The newest first: when, why, how they ended, and what went through them.",
    example: {
      response: {
        runs: [
          {
            run: "01JD6V3M2S0000000000000000",
            outcome: "Completed",
            trigger: "by hand",
            started_at: "2026-11-21T08:00:02.000Z",
            ended_at: "2026-11-21T08:00:05.000Z",
            resumes: 0,
            failure: null,
            read: 9000,
            filtered: 8198,
            unrouted: 0,
            dead_lettered: 2,
            applied: { store: 800 },
            batches: 9
          }
        ]
      }
    }
  })
)

export const PastCheckpoint = Schema.Struct({
  version: Count,
  at: Timestamp,
  run: Schema.NullOr(Schema.String),
  source: Schema.String,
  batch: Count,
  offset: Count
})
export type PastCheckpoint = typeof PastCheckpoint.Type

const checkpoints = HttpApiEndpoint.get("getCheckpoints", pathOf("checkpoints"), {
  params: nameInPath,
  query: pageQuery,
  success: Schema.Struct({ checkpoints: Schema.Array(PastCheckpoint) }),
  error: [Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "The checkpoints of a pipeline",
    description:
      "The newest first: how far each source was settled, and the version of the log that says so.",
    example: {
      response: {
        checkpoints: [
          {
            version: 40,
            at: "2026-11-21T08:00:04.000Z",
            run: "01JD6V3M2S0000000000000000",
            source: "flights",
            batch: 7,
            offset: 8000
          }
        ]
      }
    }
  })
)

export const history = HttpApiGroup.make("history")
  .add(stats, events, tail, state, diff, why, runs, checkpoints, schedule)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "What happened, and how it is going." }))
