/**
 * The dead letters of a pipeline over HTTP: lists, stories, and what is done about them.
 *
 * @module
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import * as LetterCauses from "../../projections/LetterCauses.ts"
import { Api } from "../api/Api.ts"
import { failed } from "../api/failures.ts"
import { EventLog } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { readStory } from "../pipeline/letters/readStory.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { placeOf } from "./chooseLetters.ts"
import { causeJson, letterJson, storyJson } from "./deadLetterJson.ts"
import { discardAgain, discardLetters, withdrawAgain, withdrawRedrives } from "./discardLetters.ts"
import { dryRunRedrive } from "./dryRunRedrive.ts"
import { findPipeline } from "./findPipeline.ts"
import { pageItems } from "./layerHistory.ts"
import { once } from "./once.ts"
import { logUnavailable, pipelineNamed } from "./pipelineNamed.ts"
import { redriveAgain, redriveLetters } from "./redriveLetters.ts"
import { redriveProgress } from "./redriveProgress.ts"

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
        const after = query.after === undefined ? null : yield* placeOf(query.after, "query")
        const byCause = query.group_by === "cause"
        const { code, run, source, stage } = query
        const limit = byCause ? 1 : (query.limit ?? pageItems)
        const found = yield* Effect.mapError(
          History.readLetters(log, stream, { limit, after, stage, code, source, run, byCause }),
          logUnavailable
        )
        const { causes, letters, more, total } = found
        if (byCause) {
          const listed = LetterCauses.list(causes).slice(0, query.limit ?? LetterCauses.causesMost)
          return { causes: listed.map(causeJson), total, omitted: total - listed.reduce(counted, 0) }
        }
        return {
          dead_letters: letters.map(letterJson),
          total,
          next: more ? (letters.at(-1)?.id ?? null) : null
        }
      }),
      getDeadLetter: Effect.fnUntraced(function* ({ params }) {
        const { id } = yield* pipelineNamed(pipelines, params.name)
        const story = yield* Effect.mapError(readStory(log, id, params.id), (error) =>
          error._tag === "Rejection" ? unknownLetter(params.id) : logUnavailable(error)
        )
        return storyJson(story)
      }),
      redriveDeadLetters: ({ payload, ...request }) =>
        payload.dry_run === true
          ? Effect.flatMap(findPipeline(request.params.name), ({ id }) =>
              dryRunRedrive(id, request.params.name, payload)
            )
          : once(
              "redriveDeadLetters",
              request,
              payload,
              (id, by) => redriveLetters(id, request.params.name, payload, by),
              (id, found) => redriveAgain(id, payload, found)
            ),
      getRedrive: Effect.fnUntraced(function* ({ params, query }) {
        const { id } = yield* pipelineNamed(pipelines, params.name)
        return yield* redriveProgress(id, params.redrive, query)
      }),
      discardDeadLetters: ({ payload, ...request }) =>
        once(
          "discardDeadLetters",
          request,
          payload,
          (id, by) => discardLetters(id, payload, by),
          discardAgain
        ),
      withdrawRedrives: ({ payload, ...request }) =>
        once(
          "withdrawRedrives",
          request,
          payload,
          (id, by) => withdrawRedrives(id, payload, by),
          (id, found) => Effect.provideService(withdrawAgain(id, found), EventLog, log)
        )
    })
  })
)

const counted = (sum: number, { count }: LetterCauses.LetterCause): number => sum + count

const unknownLetter = (id: string) =>
  failed("UnknownDeadLetter", `The log has no dead letter ${JSON.stringify(id.slice(0, 200))}`, {
    suggestion: "GET …/dead_letters lists those that stand; an id looks like 0.3.3017"
  })
