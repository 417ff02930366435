/**
 * The records that could not be handled: look at them, send them again, give them up.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Raw } from "../../events/PipelineEvent.ts"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { Failure400, Failure404, Failure409, Failure422, Failure503 } from "./failures.ts"
import {
  Count,
  DryRun,
  FreeRecord,
  idempotencyKey,
  nameInPath,
  OptionalText,
  pageMost,
  pageQuery,
  Reason
} from "./values.ts"

/** The same as `millrace dead-letters … list --json`. */
export const DeadLetterJson = Schema.Struct({
  id: Schema.String,
  run: Schema.String,
  stage: Schema.String,
  source: Schema.String,
  offset: Count,
  reason: Reason,
  attempts: Count,
  branches: Schema.Array(Schema.String),
  batch: Count,
  raw: Raw
}).annotate({ identifier: "DeadLetter" })
export type DeadLetterJson = typeof DeadLetterJson.Type

/** `after` is the id of the last letter of the page before. */
const list = HttpApiEndpoint.get("listDeadLetters", "/v0/pipelines/:name/dead_letters", {
  params: nameInPath,
  query: {
    ...pageQuery,
    after: Schema.optionalKey(Schema.String),
    stage: Schema.optionalKey(Schema.String),
    code: Schema.optionalKey(Schema.String)
  },
  success: Schema.Struct({
    dead_letters: Schema.Array(DeadLetterJson),
    total: Count,
    next: Schema.NullOr(Schema.String)
  }),
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "List the dead letters",
    description: "In the order their records were read. `next` is the `after` of the following page.",
    example: {
      response: {
        dead_letters: [
          {
            id: "0.3.3017",
            run: "01JD6V3M2S0000000000000000",
            stage: "late",
            source: "flights",
            offset: 3017,
            reason: { code: "expression_failed", message: "delay is no number" },
            attempts: 1,
            branches: ["store"],
            batch: 3,
            raw: { encoding: "utf8", data: '{"delay":"n/a"}', size: 15 }
          }
        ],
        total: 1,
        next: null
      }
    }
  })
)

/** Which letters are meant: these ids, or all with this stage and code. Neither is an error: nobody means everything by silence. */
const chosen = {
  letters: Schema.optionalKey(Schema.Array(Schema.String).check(Schema.isMaxLength(pageMost))),
  where: Schema.optionalKey(
    Schema.Struct({
      stage: Schema.optionalKey(Schema.String),
      code: Schema.optionalKey(Schema.String),
      all: Schema.optionalKey(Schema.Literal(true))
    })
  )
}

export const RedriveRequest = Schema.Struct({
  ...chosen,
  /** By letter: the record as it should have been. */
  edits: Schema.optionalKey(FreeRecord),
  dry_run: DryRun
})
export type RedriveRequest = typeof RedriveRequest.Type

/** What became of a letter when it was tried without touching any sink. */
export const RedriveImpact = Schema.Struct({
  dry_run: Schema.Literal(true),
  letters: Schema.Array(
    Schema.Struct({
      id: Schema.String,
      outcome: Schema.Literals(["delivered", "filtered", "unrouted", "dead_lettered"]),
      reason: Schema.NullOr(Reason)
    })
  )
})
export type RedriveImpact = typeof RedriveImpact.Type

export const RedriveAccepted = Schema.Struct({
  dry_run: Schema.Literal(false),
  letters: Schema.Array(Schema.String)
})
export type RedriveAccepted = typeof RedriveAccepted.Type

const redrive = HttpApiEndpoint.post("redriveDeadLetters", "/v0/pipelines/:name/dead_letters/redrive", {
  params: nameInPath,
  headers: idempotencyKey,
  payload: RedriveRequest,
  success: [RedriveImpact, RedriveAccepted.pipe(HttpApiSchema.status(202))],
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Send dead letters again",
    description:
      "As they were, or edited: 202. With `dry_run` no sink is touched and the answer, 200, says what would become of each.",
    example: {
      request: { letters: ["0.3.3017"], edits: { "0.3.3017": { delay: 75 } }, dry_run: true },
      response: { dry_run: true, letters: [{ id: "0.3.3017", outcome: "delivered", reason: null }] }
    }
  })
)

export const Discarded = Schema.Struct({ dry_run: Schema.Boolean, letters: Schema.Array(Schema.String) })
export type Discarded = typeof Discarded.Type

const discard = HttpApiEndpoint.post("discardDeadLetters", "/v0/pipelines/:name/dead_letters/discard", {
  params: nameInPath,
  headers: idempotencyKey,
  payload: Schema.Struct({ ...chosen, reason: OptionalText, dry_run: DryRun }),
  success: Discarded,
  error: [Failure400, Failure404, Failure409, Failure422, Failure503]
}).annotateMerge(
  documented({
    summary: "Give dead letters up",
    description: "They leave the queue; the log keeps them, and the reason.",
    example: {
      request: { letters: ["0.3.3017"], reason: "a test record" },
      response: { dry_run: false, letters: ["0.3.3017"] }
    }
  })
)

export const deadLetters = HttpApiGroup.make("deadLetters")
  .add(list, redrive, discard)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "The records that could not be handled." }))
