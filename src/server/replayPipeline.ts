/**
 * The `replayPipeline` operation: what it asks for, and how its refusals are answered.
 *
 * @module
 */
import { DateTime, Effect, Option } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Failure, failed } from "../api/failures.ts"
import type { ReplayFrom as FromWire, ReplayImpact as ImpactWire } from "../api/lifecycle.ts"
import type { EventLog } from "../log/EventLog.ts"
import type { Asker } from "../pipeline/Asker.ts"
import type { Rejection, RejectionCode } from "../pipeline/Command.ts"
import type { ActorStopped, PipelineActor } from "../pipeline/PipelineActor.ts"
import type { Generation, ReplayFrom, ReplayImpact } from "../pipeline/replay/ReplayRequest.ts"
import { type ReplayError, replay } from "../pipeline/replay/replay.ts"

export interface ReplayPayload {
  readonly from: FromWire
  readonly generation?: Generation
  readonly reason?: string | null
  readonly dry_run?: boolean
}

/** Answers with the impact of a dry run; else accepts, once the log has it. */
export const replayPipeline = Effect.fnUntraced(function* (
  actor: PipelineActor,
  log: EventLog["Service"],
  payload: ReplayPayload,
  by: Asker
) {
  const { dry_run = false, generation, reason } = payload
  const from = yield* placeOf(payload.from)
  const impact = yield* replay(actor, log, {
    from,
    stage: payload.from.stage,
    generation,
    reason: reason ?? undefined,
    by,
    dryRun: dry_run
  }).pipe(Effect.mapError(failureOf))
  return dry_run ? wire(impact) : HttpServerResponse.empty({ status: 202 })
})

const placeOf = ({
  checkpoint,
  time,
  version
}: FromWire): Effect.Effect<ReplayFrom, Failure<"InvalidReplay">> => {
  const given = [checkpoint, time, version].filter((value) => value !== undefined)
  if (given.length > 1) {
    const message = "at most one of checkpoint, version and time says where a replay begins"
    return Effect.fail(failed("InvalidReplay", message, { path: "/from" }))
  }
  if (checkpoint !== undefined) return Effect.succeed({ checkpoint: { batch: checkpoint } })
  if (version !== undefined) return Effect.succeed({ version })
  if (time === undefined) return Effect.succeed("start")
  return Option.match(DateTime.make(time), {
    onNone: () => Effect.fail(failed("InvalidReplay", `${time} is no time`, { path: "/from/time" })),
    onSome: (at) => Effect.succeed({ time: DateTime.toEpochMillis(at) })
  })
}

/** The rejections of a replay that are not just a bad request. */
const codeOf = {
  already_running: "RunInProgress",
  unfinished_run: "UnfinishedRun",
  nothing_to_replay: "NothingToReplay",
  stale_signature: "NothingToReplay",
  stale_version: "RunInProgress",
  unknown_version: "UnknownVersion",
  unknown_stage: "UnknownStage"
} as const satisfies { readonly [Code in RejectionCode]?: string }

const failureOf = (error: ReplayError | ActorStopped) => {
  switch (error._tag) {
    case "Rejection":
      return failed(codeOfRejection(error), error.message, suggestionOf(error))
    case "ActorStopped":
      return failed("PipelineInteractionUnreachable", error.message)
    case "LogError":
      return failed("LogUnavailable", error.message)
    case "UndecodableEvent":
      return failed("LogUnavailable", error.message, { suggestion: "use the release that wrote it" })
  }
}

const codeOfRejection = ({ code }: Rejection) =>
  code in codeOf ? codeOf[code as keyof typeof codeOf] : "InvalidReplay"

const suggestionOf = ({ suggestion }: Rejection) => (suggestion === undefined ? {} : { suggestion })

const wire = (impact: ReplayImpact): ImpactWire => {
  const sum = (of: "suppressed" | "rewritten" | "new") =>
    impact.sinks.reduce((total, sink) => total + sink[of], 0)
  return {
    dry_run: true,
    generation: impact.generation,
    version: impact.version,
    time: new Date(impact.at).toISOString(),
    from: impact.checkpoints,
    stages: impact.sinks.map(({ stage }) => stage),
    keys: { suppressed: sum("suppressed"), rewritten: sum("rewritten"), new: sum("new") },
    sinks: Object.fromEntries(impact.sinks.map(({ stage, ...keys }) => [stage, keys])),
    records: Object.fromEntries(impact.sources.map(({ records, source }) => [source, records])),
    dead_letters_voided: impact.lettersVoided
  }
}
