/**
 * The records that could not be handled: look at them, try them again, let them go.
 *
 * @module
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { DeadLetterCause, DeadLetterJson, DeadLetterStory } from "./DeadLetterJson.ts"
import { documented } from "./documented.ts"
import { Edge } from "./Edge.ts"
import { exampleLetter } from "./examples.ts"
import { Failure400, Failure404, Failure503 } from "./failures.ts"
import { discard, getRedrive, redrive, withdraw } from "./redrives.ts"
import { Count, nameInPath, pageQuery } from "./values.ts"

export { type DeadLetterCause, DeadLetterJson, type DeadLetterStory } from "./DeadLetterJson.ts"

const LetterPage = Schema.Struct({
  dead_letters: Schema.Array(DeadLetterJson),
  total: Count,
  next: Schema.NullOr(Schema.String)
})

/** `omitted` letters have causes beyond the 500 that are told apart. */
const CausePage = Schema.Struct({ causes: Schema.Array(DeadLetterCause), total: Count, omitted: Count })

const text = Schema.optionalKey(Schema.String)

const list = HttpApiEndpoint.get("listDeadLetters", "/v0/pipelines/:name/dead_letters", {
  params: nameInPath,
  query: {
    ...pageQuery,
    after: text,
    stage: text,
    code: text,
    source: text,
    run: text,
    group_by: Schema.optionalKey(Schema.Literal("cause"))
  },
  success: [LetterPage, CausePage],
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "List the dead letters",
    description:
      "In the order their records were read. `next` is the `after` of the following page; `total` counts all that are " +
      "of this stage, code, source and run. A page may end early where records are large. With `group_by=cause` the " +
      "answer is `{ causes, total, omitted }`: one entry for each code, stage and message (its values masked), with " +
      "how many there are, the first and the last, and an example; the most frequent first.",
    example: { response: { dead_letters: [exampleLetter], total: 1, next: null } }
  })
)

const get = HttpApiEndpoint.get("getDeadLetter", "/v0/pipelines/:name/dead_letters/:id", {
  params: { ...nameInPath, id: Schema.String },
  success: DeadLetterStory,
  error: [Failure400, Failure404, Failure503]
}).annotateMerge(
  documented({
    summary: "The story of a dead letter",
    description:
      "What was read, every time it was not handled and why, every redrive with who asked for it, with which edit, " +
      "and what came of it. A letter that has left is told as well: `status` says how.",
    example: {
      response: {
        ...exampleLetter,
        redrives: 1,
        attempts: 2,
        status: "standing",
        reasons: [
          {
            at: "2026-11-21T08:00:03.000Z",
            version: 9,
            by: "engine",
            redrive: 0,
            stage: "late",
            branches: ["store"],
            reason: exampleLetter.reason
          },
          {
            at: "2026-11-21T09:12:00.400Z",
            version: 42,
            by: "engine",
            redrive: 1,
            stage: "late",
            branches: ["store"],
            reason: exampleLetter.reason
          }
        ],
        history: [
          {
            redrive: 1,
            requested_at: "2026-11-21T09:12:00.000Z",
            version: 41,
            by: "deploy-bot",
            reason: "the carrier has sent the delays",
            edit: {
              payload: { delay: "unknown" },
              changes: [{ path: "/delay", before: "n/a", after: "unknown" }]
            },
            outcome: "nacked",
            branches: { store: "lettered" },
            settled_at: "2026-11-21T09:12:00.400Z"
          }
        ],
        discarded: null
      }
    }
  })
)

export const deadLetters = HttpApiGroup.make("deadLetters")
  .add(list, get, redrive, getRedrive, discard, withdraw)
  .middleware(Edge)
  .middleware(Authorization)
  .annotateMerge(OpenApi.annotations({ description: "The records that could not be handled." }))
