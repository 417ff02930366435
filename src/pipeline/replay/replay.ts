/**
 * Back to an earlier moment of a pipeline's last run, and on from there: what HTTP, the command line and programs
 * ask for. To replay from a version is to go on as if the process had died right there.
 *
 * @module
 */
import { Effect, Result, type Scope } from "effect"
import { type Definition, decodeDefinition } from "../../../events/Definition.ts"
import { type EventOf, pipelineStream } from "../../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../../events/upcast.ts"
import * as DeadLetters from "../../../projections/DeadLetters.ts"
import { owedBranches } from "../../../projections/OpenBatch.ts"
import { own } from "../../../projections/own.ts"
import { evolve, type PipelineState } from "../../../projections/PipelineState.ts"
import { isActive } from "../../../projections/transitions.ts"
import { reachableSinks } from "../../flow/graph/reachableSinks.ts"
import { sourceGroups } from "../../flow/graph/sourceGroups.ts"
import { groupName } from "../../flow/merge/MergedPosition.ts"
import type { EventLog, LogError } from "../../log/EventLog.ts"
import type { Asker } from "../Asker.ts"
import { Rejection } from "../Command.ts"
import type { PipelineActor, SendError } from "../PipelineActor.ts"
import type { HostedPipeline } from "../Pipelines.ts"
import { isAtWork, type RunRequest, type RunResult, runDefined } from "../runOnce.ts"
import { processLost } from "../situation.ts"
import { mayReplay } from "./decideReplay.ts"
import { findMoment, type Moment } from "./findMoment.ts"
import {
  type Generation,
  type ReplayImpact,
  type ReplayOptions,
  type ReplayRequest,
  reopenedMost
} from "./ReplayRequest.ts"
import { readSince, type Since } from "./readSince.ts"
import { readTimeline, type Timeline } from "./readTimeline.ts"
import { setBackTo } from "./setBackTo.ts"

/** What would be done: its impact, and the command that does it. */
export interface ReplayPlan {
  readonly impact: ReplayImpact
  readonly setBack: Omit<EventOf<"RunSetBack">, "_tag">
  readonly life: number
}

export type ReplayError = Rejection | LogError | UndecodableEvent

/**
 * Works out a replay from the log alone. Appends nothing; reads the log two to three times. Whoever knows that
 * nobody is at work (the log cannot) says so: a run under way was then left by a process that is gone.
 */
export const planReplay = Effect.fnUntraced(function* (
  log: EventLog["Service"],
  id: string,
  { from, generation = "next", reason = "", stage }: ReplayRequest,
  isNobodyAtWork = false
): Effect.fn.Return<ReplayPlan, ReplayError> {
  const stream = pipelineStream(id)
  const read = yield* readTimeline(log, stream)
  const timeline = isNobodyAtWork ? { ...read, state: cutOff(read.state) } : read
  const { state } = timeline
  const refused = mayReplay(state, stage === undefined ? null : [])
  if (refused !== undefined && Result.isFailure(refused)) return yield* refused.failure
  const part = yield* Effect.fromResult(takingPart(state.definition!.definition, stage))
  const moment = yield* findMoment(log, stream, timeline, from)
  const since = yield* readSince(log, stream, timeline, moment, generation === "same")
  const alone = replayedAlone(moment, since, part.sinks, generation)
  if (alone !== undefined) return yield* alone
  if (since.batches === null) {
    const message = `more than ${reopenedMost} batches would be opened again`
    const suggestion = "go back less far, or replay with the next generation"
    return yield* new Rejection({ code: "too_many_batches", message, suggestion })
  }
  const setBack = setBackTo({
    timeline,
    moment,
    open: generation === "same" ? since.batches : moment.state.open,
    memory: since.memory,
    generation,
    redrives: since.redrives,
    fromStage: stage ?? null,
    ...part,
    reason
  })
  return { impact: impactOf(timeline, moment, since, setBack, part.sinks), setBack, life: state.run!.lives }
})

/**
 * Sets the run back, unless it is only to be told what would happen. The run goes on from there at once while
 * the pipeline is wanted running, else with its next start.
 */
export const replay = Effect.fnUntraced(function* (
  actor: PipelineActor,
  log: EventLog["Service"],
  request: ReplayOptions & { readonly by: Asker }
): Effect.fn.Return<ReplayImpact, ReplayError | SendError> {
  const state = yield* actor.state
  const isLeft = isActive(state.lifecycle) && !isAtWork(actor, state)
  const { impact, life, setBack } = yield* planReplay(log, actor.id, request, isLeft)
  if (request.dryRun === true) return impact
  if (isLeft) yield* actor.send({ _tag: "CrashRun", reason: processLost, life }, request.by)
  yield* actor.send({ _tag: "Replay", life, setBack }, request.by)
  return impact
})

/** Sets the run back and works on it to its end, like `runDefined`: a stop drains it, and it keeps its place. */
export const replayOnce = Effect.fnUntraced(function* (
  pipeline: HostedPipeline,
  log: EventLog["Service"],
  request: ReplayRequest & Omit<RunRequest, "reason">
): Effect.fn.Return<RunResult & { readonly impact: ReplayImpact }, ReplayError | SendError, Scope.Scope> {
  const reason = request.reason ?? "asked to replay"
  const impact = yield* replay(pipeline.actor, log, { ...request, reason })
  return { ...(yield* runDefined(pipeline, { ...request, reason })), impact }
})

const cutOff = (state: PipelineState): PipelineState =>
  isActive(state.lifecycle) && state.run !== null
    ? evolve(state, { _tag: "Crashed", run: state.run.id, reason: processLost })
    : state

interface Part {
  readonly branches: ReadonlyArray<string> | null
  readonly sinks: ReadonlyArray<string>
  readonly sources: ReadonlyArray<string>
}

/** The sinks behind the stage, and the sources whose records may reach one of them. */
const takingPart = (wire: unknown, stage: string | undefined): Result.Result<Part, Rejection> =>
  Result.flatMap(
    Result.mapError(
      decodeDefinition(wire),
      ({ message }) => new Rejection({ code: "invalid_definition", message })
    ),
    (definition) => {
      const reaches = reachableSinks(definition)
      const all = sinksOf(definition)
      const sinks = stage === undefined ? all : reaches.get(stage)
      if (sinks === undefined) {
        const message = `there is no stage ${JSON.stringify(stage)}`
        const suggestion = `the stages are ${Object.keys(definition.stages).join(", ")}`
        return Result.fail(new Rejection({ code: "unknown_stage", message, suggestion }))
      }
      const leads = (name: string) => reaches.get(name)?.some((sink) => sinks.includes(sink)) === true
      const sources = sourceGroups(definition)
        .filter((members) => members.some(leads))
        .map(groupName)
      return Result.succeed({ branches: stage === undefined ? null : sinks, sinks, sources })
    }
  )

/**
 * While a run is replayed for some sinks, its place is theirs: the others hold more than that. And the
 * boundaries since then are theirs too, so the others cannot be given theirs again under the same keys.
 */
const replayedAlone = (
  { state }: Moment,
  { alone }: Since,
  sinks: ReadonlyArray<string>,
  generation: Generation
): Rejection | undefined => {
  const by = [state.run?.only?.branches, ...(generation === "same" ? alone : [])].find(
    (branches) => branches !== undefined && !sinks.every((sink) => branches.includes(sink))
  )
  if (by === undefined) return undefined
  const message = `the run was replayed for ${by.join(", ")} alone`
  const suggestion = "replay it for the same stage, or from its start with the next generation"
  return new Rejection({ code: "set_back_before", message, suggestion })
}

const sinksOf = ({ stages }: Definition): ReadonlyArray<string> =>
  Object.keys(stages).filter((name) => stages[name]!.sink !== undefined)

const impactOf = (
  { letters, state }: Timeline,
  { at, version }: Moment,
  { taken }: Since,
  setBack: ReplayPlan["setBack"],
  sinks: ReadonlyArray<string>
): ReplayImpact => {
  const isNext = setBack.generation > state.generation
  const after = DeadLetters.list(DeadLetters.evolve(letters, { _tag: "RunSetBack", ...setBack }))
  const left = new Map(after.map(({ branches, id }) => [id, branches.length]))
  const voided = DeadLetters.list(letters).filter(({ branches, id }) => left.get(id) !== branches.length)
  return {
    run: setBack.run,
    version,
    at,
    generation: setBack.generation,
    stage: setBack.fromStage,
    sources: Object.entries(setBack.sources).map(([source, { checkpoint }]) => {
      const offset = checkpoint?.offset ?? 0
      const sealed = own(state.run?.sources, source)?.sealed?.offset ?? 0
      return { source, offset, records: Math.max(0, sealed - offset) }
    }),
    checkpoints: Object.values(setBack.sources).flatMap(({ checkpoint }) =>
      checkpoint === null ? [] : [checkpoint]
    ),
    sinks: sinks.map((stage) => {
      const known = taken.get(stage) ?? 0
      const owed = state.open.filter((batch) => owedBranches(batch).includes(stage)).length
      return { stage, suppressed: isNext ? 0 : known, rewritten: isNext ? known : 0, new: owed }
    }),
    lettersVoided: isNext ? voided.length : 0
  }
}
