/**
 * The group `lifecycle`: what a pipeline is asked to do.
 *
 * @module
 */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import type { Desired } from "../../events/PipelineEvent.ts"
import * as Roster from "../../projections/Roster.ts"
import { Api } from "../api/Api.ts"
import { failed } from "../api/failures.ts"
import { EventLog } from "../log/EventLog.ts"
import type { Asker } from "../pipeline/Asker.ts"
import type { Command } from "../pipeline/Command.ts"
import { LiveRoster } from "../pipeline/LiveRoster.ts"
import { Pipelines } from "../pipeline/Pipelines.ts"
import { findPipeline, unknownPipeline } from "./findPipeline.ts"
import { type Asked, once } from "./once.ts"
import { refusing } from "./refusalOf.ts"
import { type ReplayPayload, replayPipeline } from "./replayPipeline.ts"

export const layerLifecycle = HttpApiBuilder.group(Api, "lifecycle", (handlers) =>
  handlers.handleAll({
    startPipeline: (request) => wish("startPipeline", "Running", request),
    pausePipeline: (request) => wish("pausePipeline", "Paused", request),
    shutdownPipeline: (request) => wish("shutdownPipeline", "Shutdown", request),
    triggerRun: ({ payload, ...request }) =>
      once("triggerRun", request, payload, (id, by) =>
        tell(id, { _tag: "Trigger", reason: payload?.reason ?? "by hand", deployed: true }, by)
      ),
    replayPipeline: ({ payload, ...request }) =>
      payload.dry_run === true
        ? Effect.flatMap(findPipeline(request.params.name), ({ id }) => replay(id, payload, "nobody"))
        : once(
            "replayPipeline",
            request,
            payload,
            (id, by) => replay(id, payload, by),
            () => Effect.succeed(HttpServerResponse.empty({ status: 202 }))
          ),
    checkpointPipeline: (request) =>
      once(
        "checkpointPipeline",
        request,
        null,
        (id) => settle(id, request.params.name),
        // It left nothing in the log: what is settled now was asked for as well.
        (id) => settle(id, request.params.name)
      )
  })
)

const wish = (operation: string, desired: Desired, request: Asked) =>
  once(operation, request, null, (id, by) =>
    tell(id, { _tag: "SetDesired", desired, reason: `asked over HTTP (${operation})` }, by)
  )

/** What is wanted is in the log before anybody works towards it. */
const tell = Effect.fnUntraced(
  function* (id: string, command: Command, by: Asker) {
    const pipelines = yield* Pipelines
    const { actor } = yield* pipelines.get(id)
    const { deployment, desired } = yield* actor.send(command, by)
    if (deployment !== "Shutdown" || desired !== "Shutdown") yield* pipelines.adopt(id)
  },
  Effect.scoped,
  refusing
)

/** What it would do, or, once that is in the log, nothing but that it was accepted. */
const replay = Effect.fnUntraced(
  function* (id: string, payload: ReplayPayload, by: Asker) {
    const pipelines = yield* Pipelines
    const { actor } = yield* pipelines.get(id)
    const answer = yield* replayPipeline(actor, yield* EventLog, payload, by)
    const { deployment, desired } = yield* actor.state
    if (deployment !== "Shutdown" || desired !== "Shutdown") yield* pipelines.adopt(id)
    return answer
  },
  Effect.scoped,
  refusing
)

/** Settles what is in flight. The log says how far that is. */
const settle = Effect.fnUntraced(
  function* (id: string, name: string) {
    const pipelines = yield* Pipelines
    const { settle } = yield* pipelines.get(id)
    yield* settle
    const { state } = yield* (yield* LiveRoster).now
    const listed = Roster.find(state, id)
    if (listed === undefined) return yield* unknownPipeline(name)
    if (listed.deployment.value === "Shutdown") return yield* notDeployed(name)
    const { checkpoints, lastEvent } = listed
    return {
      version: lastEvent.version,
      at: new Date(lastEvent.at).toISOString(),
      checkpoints: checkpoints.map(({ batch, offset, position, source }) => ({
        source,
        batch,
        offset,
        position
      }))
    }
  },
  Effect.scoped,
  refusing
)

const notDeployed = (name: string) =>
  Effect.fail(
    failed("PipelineInteractionNotDeployed", `The pipeline ${name} is not deployed: nothing is in flight`, {
      suggestion: "start it first"
    })
  )
