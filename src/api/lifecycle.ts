/**
 * What a pipeline is asked to do: run, rest, stop, start a run, settle, replay.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Checkpoint } from "../../events/Checkpoint.ts"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { Failure400, Failure404, Failure409, Failure422, Failure503 } from "./failures.ts"
import { Count, DryRun, idempotencyKey, nameInPath, OptionalText, Timestamp } from "./values.ts"

const pathOf = <const Verb extends string>(verb: Verb) => `/v0/pipelines/:name/${verb}` as const

/** A wish for a status. Its body is ignored: clients send nothing, or `null`. */
const wish = <const Id extends string, const Verb extends string>(
  id: Id,
  verb: Verb,
  summary: string,
  description: string
) =>
  HttpApiEndpoint.post(id, pathOf(verb), {
    params: nameInPath,
    headers: idempotencyKey,
    success: HttpApiSchema.Accepted,
    error: [Failure400, Failure404, Failure409, Failure422, Failure503]
  }).annotateMerge(
    documented({ summary, description, example: { call: `POST /v0/pipelines/delayed-flights/${verb}` } })
  )

const start = wish(
  "startPipeline",
  "start",
  "Start a pipeline",
  "Sets the desired status to `Running`; poll the resource for the actual one. Refused while it shuts down, from " +
    "`Failed` (shut it down first), and while its program has errors."
)

const pause = wish(
  "pausePipeline",
  "pause",
  "Pause a pipeline",
  "Sets the desired status to `Paused`: nothing more is read, what is in flight is settled, the place is kept."
)

const shutdown = wish(
  "shutdownPipeline",
  "shutdown",
  "Shut a pipeline down",
  "Sets the desired status to `Shutdown`, which may always be asked for; it is the only way out of `Failed`."
)

const trigger = HttpApiEndpoint.post("triggerRun", pathOf("trigger"), {
  params: nameInPath,
  headers: idempotencyKey,
  payload: [Schema.Null, Schema.Struct({ reason: OptionalText })],
  success: HttpApiSchema.Accepted,
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Start a run by hand",
    description: "Whatever the schedule says. 409 `RunInProgress` while a run is under way.",
    example: {
      request: { reason: "the file was corrected" },
      call: "POST /v0/pipelines/delayed-flights/trigger"
    }
  })
)

export const SettledCheckpoint = Schema.Struct({
  /** The version of the log up to which this is so. */
  version: Schema.Int,
  at: Timestamp,
  checkpoints: Schema.Array(Checkpoint)
})
export type SettledCheckpoint = typeof SettledCheckpoint.Type

const checkpoint = HttpApiEndpoint.post("checkpointPipeline", pathOf("checkpoint"), {
  params: nameInPath,
  headers: idempotencyKey,
  success: SettledCheckpoint,
  error: [Failure400, Failure404, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Settle what is in flight",
    description: "Makes every sink durable now, and answers with the checkpoint once it is in the log.",
    example: {
      response: {
        version: 40,
        at: "2026-11-21T08:00:09.000Z",
        checkpoints: [{ source: "flights", batch: 7, offset: 8000, position: { byte: 812345 } }]
      }
    }
  })
)

/**
 * Where a replay begins: at most one of `checkpoint` (a batch), `version` (of the log) and `time`, else the start
 * of the run; all the rest is replayed. With `stage` only the sinks behind it take part.
 */
export const ReplayFrom = Schema.Struct({
  stage: Schema.optionalKey(Schema.String),
  checkpoint: Schema.optionalKey(Count),
  version: Schema.optionalKey(Count),
  time: Schema.optionalKey(Timestamp)
})
export type ReplayFrom = typeof ReplayFrom.Type

/** What a replay would do to the keys its sinks remember. */
export const ReplayImpact = Schema.Struct({
  dry_run: Schema.Literal(true),
  generation: Count,
  /** The version of the log the run goes back to, and when that was. */
  version: Count,
  time: Timestamp,
  from: Schema.Array(Checkpoint),
  stages: Schema.Array(Schema.String),
  keys: Schema.Struct({ suppressed: Count, rewritten: Count, new: Count }),
  /** The same by sink. */
  sinks: Schema.Record(Schema.String, Schema.Struct({ suppressed: Count, rewritten: Count, new: Count })),
  /** By source, records that are read again. */
  records: Schema.Record(Schema.String, Count),
  dead_letters_voided: Count
})
export type ReplayImpact = typeof ReplayImpact.Type

const replay = HttpApiEndpoint.post("replayPipeline", pathOf("replay"), {
  params: nameInPath,
  headers: idempotencyKey,
  payload: Schema.Struct({
    from: ReplayFrom,
    generation: Schema.optionalKey(Schema.Literals(["same", "next"])),
    reason: OptionalText,
    dry_run: DryRun
  }),
  success: [ReplayImpact, HttpApiSchema.Accepted],
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Replay from a place in the past",
    description:
      "From a stage, a checkpoint, a version or a time: 202. The last run is set back and goes on from there, at once " +
      "if the pipeline is wanted running. `generation: next` (the default) writes its range under new keys, `same` " +
      "writes only what the sinks do not hold. With `dry_run` nothing happens and the answer, 200, says which keys " +
      "would be suppressed, rewritten or new.",
    example: {
      request: { from: { version: 40 }, dry_run: true },
      response: {
        dry_run: true,
        generation: 1,
        version: 40,
        time: "2026-11-21T08:00:09.000Z",
        from: [{ source: "flights", batch: 7, offset: 8000, position: { byte: 812345 } }],
        stages: ["store"],
        keys: { suppressed: 0, rewritten: 12, new: 3 },
        sinks: { store: { suppressed: 0, rewritten: 12, new: 3 } },
        records: { flights: 15000 },
        dead_letters_voided: 2
      }
    }
  })
)

export const lifecycle = HttpApiGroup.make("lifecycle")
  .add(start, pause, shutdown, trigger, checkpoint, replay)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "What a pipeline is asked to do." }))
