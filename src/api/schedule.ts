/**
 * What fires next, and what became of the ticks that are past.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { documented } from "./documented.ts"
import { Failure404, Failure503 } from "./failures.ts"
import { Count, nameInPath, pageQuery, Timestamp } from "./values.ts"

/** A tick to come, as the clock on the wall shows it; `note` is there where a change of the clocks makes it odd. */
export const NextTick = Schema.Struct({
  tick: Schema.String,
  due_at: Timestamp,
  local: Schema.String,
  offset: Schema.String,
  time_zone: Schema.String,
  note: Schema.optionalKey(Schema.String)
})

/**
 * A tick that is past, or `count` neighbours with one fate up to `until`: what it led to, and why when that was
 * nothing. `run` is the run it triggered, if that has begun, with how it ended.
 */
export const PastTick = Schema.Struct({
  tick: Schema.String,
  until: Schema.NullOr(Schema.String),
  count: Count,
  version: Count,
  at: Timestamp,
  outcome: Schema.Literals(["triggered", "skipped"]),
  reason: Schema.String,
  run: Schema.NullOr(Schema.String),
  run_outcome: Schema.NullOr(Schema.Literals(["Running", "Completed", "Failed", "Crashed"]))
})

export const ScheduleView = Schema.Struct({
  /** As the definition has it; `null` while the program has errors. */
  schedule: Schema.Json,
  /** What a tick finds as things are: `idle` starts a run, `running` leaves it to `overlap`, anything else skips it. */
  situation: Schema.Literals(["idle", "running", "paused", "failed", "unavailable", "shutdown"]),
  next: Schema.Array(NextTick),
  /** Ticks that have fallen due and wait for the run before them. */
  waiting: Schema.Array(Schema.Struct({ count: Count, until: Schema.String })),
  past: Schema.Array(PastTick)
})
export type ScheduleView = typeof ScheduleView.Type

export const schedule = HttpApiEndpoint.get("getSchedule", "/v0/pipelines/:name/schedule", {
  params: nameInPath,
  query: pageQuery,
  success: ScheduleView,
  error: [Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "What fires next, and what became of past ticks",
    description: "The next ticks soonest first, the past ones newest first; the last 1,000 are remembered.",
    example: {
      response: {
        schedule: { cron: "0 6 * * *", time_zone: "Europe/Berlin" },
        situation: "idle",
        next: [
          {
            tick: "2026-11-22T05:00:00.000Z",
            due_at: "2026-11-22T05:00:00.000Z",
            local: "2026-11-22T06:00:00",
            offset: "+01:00",
            time_zone: "Europe/Berlin"
          }
        ],
        waiting: [],
        past: [
          {
            tick: "2026-11-21T05:00:00.000Z",
            until: null,
            count: 1,
            version: 9,
            at: "2026-11-21T05:00:00.004Z",
            outcome: "skipped",
            reason: "overlap",
            run: null,
            run_outcome: null
          }
        ]
      }
    }
  })
)
