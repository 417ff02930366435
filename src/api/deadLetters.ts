/**
 * The records that could not be handled: look at them.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Raw } from "../../events/PipelineEvent.ts"
import { Authorization } from "./Authorization.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { Failure400, Failure404, Failure503 } from "./failures.ts"
import { Count, nameInPath, pageQuery, Reason } from "./values.ts"

/**
 * The same as `millrace dead-letters … list --json`. Where `source` is several that are read as one, `origin` is
 * the one the record is of, with its ordinal there.
 */
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
  raw: Raw,
  origin: Schema.optionalKey(Schema.Struct({ source: Schema.String, offset: Count }))
}).annotate({ identifier: "DeadLetter" })
export type DeadLetterJson = typeof DeadLetterJson.Type

/** `after` is the `next` of the page before: the id of its last letter. `total` counts the letters of this stage and code. */
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
    description:
      "In the order their records were read. `next` is the `after` of the following page; `total` counts all that are " +
      "of this stage and code. A page may end early where records are large.",
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

export const deadLetters = HttpApiGroup.make("deadLetters")
  .add(list)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "The records that could not be handled." }))
