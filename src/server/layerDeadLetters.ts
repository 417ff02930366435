/**
 * The dead letters of a pipeline, over HTTP, a page at a time.
 *
 * @module
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { DeadLetter } from "../../projections/DeadLetters.ts"
import { Api } from "../api/Api.ts"
import type { DeadLetterJson } from "../api/deadLetters.ts"
import { failed } from "../api/failures.ts"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { pageItems } from "./layerHistory.ts"
import { logUnavailable, pipelineNamed } from "./pipelineNamed.ts"

/** The group `deadLetters` of the contract. */
export const layerDeadLetters = HttpApiBuilder.group(
  Api,
  "deadLetters",
  Effect.fnUntraced(function* (handlers) {
    const log = yield* EventLog
    const pipelines = yield* Pipelines
    return handlers.handleAll({
      listDeadLetters: Effect.fnUntraced(function* ({ params, query }) {
        const { stream } = yield* pipelineNamed(pipelines, params.name)
        const after = query.after === undefined ? null : yield* placeOf(query.after)
        const found = yield* Effect.mapError(
          History.readLetters(log, stream, {
            limit: query.limit ?? pageItems,
            after,
            stage: query.stage,
            code: query.code
          }),
          logUnavailable
        )
        return {
          dead_letters: found.letters.map(letterJson),
          total: found.total,
          next: found.more ? (found.letters.at(-1)?.id ?? null) : null
        }
      })
    })
  })
)

const placeOf = (id: string) => {
  const place = History.placeOf(id)
  return place === undefined
    ? Effect.fail(
        failed("BadRequest", `${JSON.stringify(id)} is not the id of a dead letter`, {
          where: "query",
          path: "/after",
          suggestion: "send the `next` of the page before"
        })
      )
    : Effect.succeed(place)
}

const letterJson = (letter: DeadLetter): DeadLetterJson => ({
  id: letter.id,
  run: letter.run,
  stage: letter.stage,
  source: letter.source,
  offset: letter.offset,
  reason: letter.reason,
  attempts: letter.attempts,
  branches: letter.branches,
  batch: letter.batch,
  raw: letter.raw,
  ...(letter.origin === undefined ? {} : { origin: letter.origin })
})
