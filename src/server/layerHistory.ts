/**
 * What happened to a pipeline, over HTTP: handlers that only read, and wake nobody.
 *
 * @module
 */
import { Clock, Effect, Layer } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { nearest } from "../../events/nearest.ts"
import { PipelineEvent } from "../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import { Api } from "../api/Api.ts"
import { failed } from "../api/failures.ts"
import { EventLog, type LogError } from "../log/EventLog.ts"
import * as History from "../pipeline/History.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { eventFrames, eventsResponse } from "./eventFrames.ts"
import { eventText } from "./eventText.ts"
import { checkpointJson, placeJson, runJson, scheduleJson, statsJson, whyJson } from "./historyJson.ts"
import { logUnavailable, pipelineNamed } from "./pipelineNamed.ts"
import { openTail, tailResponse } from "./tail.ts"

/** Items of a page when nobody says how many. */
export const pageItems = 100

/** The group `history` of the contract. */
export const layerHistory = HttpApiBuilder.group(
  Api,
  "history",
  Effect.fnUntraced(function* (handlers) {
    const log = yield* EventLog
    const pipelines = yield* Pipelines
    const histories = yield* History.Histories
    const find = (name: string) => pipelineNamed(pipelines, name)
    const historyOf = (name: string) =>
      Effect.flatMap(find(name), ({ id }) => Effect.mapError(histories.of(id), logUnavailable))

    return handlers.handleAll({
      getStats: Effect.fnUntraced(function* ({ params }) {
        const { id } = yield* find(params.name)
        const history = yield* Effect.mapError(histories.of(id), logUnavailable)
        return statsJson(history, yield* progressOf(pipelines, id))
      }),
      getEvents: Effect.fnUntraced(function* ({ headers, params, query, request }) {
        const { stream } = yield* find(params.name)
        const types = yield* typesOf(query.type ?? [])
        const after = headers["last-event-id"] ?? query.after ?? 0
        if (request.headers.accept?.includes("text/event-stream") === true) {
          return yield* eventsResponse(
            eventFrames(History.followEvents(log, stream, after), { after, types })
          )
        }
        const page = yield* Effect.mapError(
          History.eventPage(log, stream, { after, limit: query.limit ?? pageItems, types }),
          logUnavailable
        )
        return pageResponse(page)
      }),
      tailPipeline: Effect.fnUntraced(function* ({ params, query }) {
        const { id } = yield* find(params.name)
        const history = yield* Effect.mapError(histories.of(id), logUnavailable)
        return yield* tailResponse(yield* openTail(id, History.pipelineOf(history), query))
      }),
      getState: Effect.fnUntraced(function* ({ params, query: { at, version } }) {
        const { stream } = yield* find(params.name)
        if (at !== undefined && version !== undefined) {
          return yield* bad("/at", "a version or a time, not both", "leave one of them out")
        }
        const moment =
          version !== undefined ? { version } : at === undefined ? undefined : yield* momentOf("/at", at)
        const found = yield* Effect.mapError(History.stateAt(log, stream, moment), refusalOf)
        return { ...placeJson(found), state: found.state as unknown as PlainState }
      }),
      getDiff: Effect.fnUntraced(function* ({ params, query }) {
        const { stream } = yield* find(params.name)
        const from = yield* momentOf("/from", query.from)
        const to = yield* momentOf("/to", query.to)
        const found = yield* Effect.mapError(History.diffBetween(log, stream, from, to), refusalOf)
        return { ...found, from: placeJson(found.from), to: placeJson(found.to) }
      }),
      getWhy: ({ params }) => Effect.map(historyOf(params.name), ({ version, why }) => whyJson(why, version)),
      getRuns: ({ params, query }) =>
        Effect.map(historyOf(params.name), (history) => ({
          runs: History.runs(history, query.limit ?? pageItems).map(runJson)
        })),
      getCheckpoints: ({ params, query }) =>
        Effect.map(historyOf(params.name), (history) => ({
          checkpoints: History.checkpoints(history, query.limit ?? pageItems).map(checkpointJson)
        })),
      getSchedule: Effect.fnUntraced(function* ({ params, query }) {
        const history = yield* historyOf(params.name)
        const now = yield* Clock.currentTimeMillis
        return scheduleJson(history, History.scheduleView(history, now, query.limit ?? pageItems))
      })
    })
  })
).pipe(Layer.provide(History.Histories.layer))

type PlainState = typeof import("../api/timeTravel.ts").PastState.Type["state"]

/** A pipeline whose actor sleeps, or ends at this moment, reads nothing. */
const progressOf = ({ awake }: Pipelines["Service"], id: string) =>
  awake(id).pipe(
    Effect.map((pipeline) => pipeline?.progress() ?? []),
    Effect.scoped,
    Effect.orElseSucceed(() => [])
  )

/** The text of the log itself, so that no number changes on the way. */
const pageResponse = ({ events, next }: History.EventPage): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(`{"events":[${events.map(eventText).join(",")}],"next":${next}}`, {
    contentType: "application/json"
  })

const known = Object.keys(PipelineEvent.cases)

const typesOf = Effect.fnUntraced(function* (given: ReadonlyArray<string>) {
  const unknown = given.find((type) => !known.includes(type))
  if (unknown === undefined) return new Set(given)
  const meant = nearest(unknown, known)
  return yield* bad(
    "/type",
    `There is no event type ${JSON.stringify(unknown)}`,
    meant === undefined ? `the types are ${known.join(", ")}` : `did you mean ${meant}?`
  )
})

const momentOf = (path: string, text: string) => {
  const moment = History.parseMoment(text)
  return moment === undefined
    ? bad(
        path,
        `${JSON.stringify(text)} is no moment`,
        "a time looks like 2026-03-29T01:59:59Z; a version is a whole number"
      )
    : Effect.succeed(moment)
}

const refusalOf = (error: LogError | UndecodableEvent | History.UnknownVersion) =>
  error._tag === "UnknownVersion"
    ? failed("UnknownVersion", `There is no version ${error.version}: the log ends at ${error.last}`, {
        last: error.last
      })
    : logUnavailable(error)

const bad = (path: string, message: string, suggestion: string) =>
  Effect.fail(failed("BadRequest", message, { where: "query", path, suggestion }))
