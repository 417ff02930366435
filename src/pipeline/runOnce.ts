/**
 * One run of a pipeline from here to its end: what `millrace run` does, and what a program that wants
 * the same calls. A run that was cut off is resumed, a completed pipeline runs anew.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import type { EventOf } from "../../events/PipelineEvent.ts"
import type { UndecodableEvent } from "../../events/upcast.ts"
import { abandoned, hasUnfinishedRun, type PipelineState } from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import type { LogError } from "../log/EventLog.ts"
import { processLost, type SendError } from "./PipelineActor.ts"
import { type HostedPipeline, Pipelines, type RegisterError } from "./Pipelines.ts"
import { awaitState } from "./react.ts"

export interface DefineRequest {
  /** A valid definition, as it was sent. Its id is given by the catalog. */
  readonly define: Omit<EventOf<"Defined">, "_tag" | "id">
  /** Who asks. */
  readonly by: string
  /** Give up an unfinished run instead of resuming it, or refusing another definition. */
  readonly abandon: boolean
}

export interface RunRequest {
  readonly by: string
  readonly reason: string
  /** Resolves when the run is to be drained and stopped before its end. */
  readonly stop: Effect.Effect<void>
  /** Told once the run is under way: where it goes on from (records), `null` for a new run. */
  readonly onStarted?: (pipeline: HostedPipeline, resumedFrom: number | null) => Effect.Effect<void>
}

export interface RunResult {
  readonly state: PipelineState
  /** Records that were settled when the run was resumed; `null` when it began here. */
  readonly resumedFrom: number | null
}

export type RunError = SendError | LogError | UndecodableEvent | RegisterError

/** Defines a pipeline and runs it once. */
export const runOnce = Effect.fnUntraced(function* (
  request: DefineRequest & RunRequest
): Effect.fn.Return<RunResult, RunError, Pipelines | Scope.Scope> {
  return yield* runDefined(yield* define(request), request)
})

/** Ends with the state after the run: Completed, Failed, or Crashed when it was stopped or lost a driver. */
export const runDefined = Effect.fnUntraced(function* (
  pipeline: HostedPipeline,
  request: RunRequest
): Effect.fn.Return<RunResult, SendError, Scope.Scope> {
  const { actor } = pipeline
  const before = yield* actor.send(
    { _tag: "SetDesired", desired: "Running", reason: request.reason },
    request.by
  )
  yield* awaitState(actor, (state) => state.deployment === "Running")
  const resumes = hasUnfinishedRun(before)
  const resumedFrom = resumes ? settledRecords(before) : null
  const began = before.run?.lives ?? 0
  if (resumes) yield* actor.send({ _tag: "ResumeRun", lost: processLost, life: actor.lostLife }, request.by)
  // Triggered and then killed: the log already has what this would say.
  else if (before.lifecycle !== "Triggered") {
    yield* actor.send({ _tag: "Trigger", reason: request.reason }, request.by)
  }
  const started = (state: PipelineState): boolean =>
    resumes ? (state.run?.lives ?? 0) > began : state.run !== null && state.run.id !== before.run?.id
  yield* awaitState(actor, started)
  if (request.onStarted !== undefined) yield* request.onStarted(pipeline, resumedFrom)

  yield* request.stop.pipe(
    Effect.andThen(
      actor.send({ _tag: "SetDesired", desired: "Shutdown", reason: "asked to stop" }, request.by)
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  const state = yield* awaitState(actor, (state) => started(state) && !isActive(state.lifecycle))
  yield* actor.send({ _tag: "SetDesired", desired: "Shutdown", reason: "the run has ended" }, request.by)
  yield* awaitState(actor, ({ deployment }) => deployment === "Shutdown")
  return { state, resumedFrom }
})

/** Registers the name if it is new, and defines the pipeline if what was sent is not what is in force. */
export const define = Effect.fnUntraced(function* ({
  abandon,
  by,
  define
}: DefineRequest): Effect.fn.Return<HostedPipeline, RunError, Pipelines | Scope.Scope> {
  const pipelines = yield* Pipelines
  const id = yield* pipelines.register(define.name, by)
  const pipeline = yield* pipelines.get(id)
  const { actor } = pipeline
  const state = yield* actor.state
  const { definition } = state
  const changed = definition?.signature !== define.signature || definition.base !== define.base
  if (abandon && hasUnfinishedRun(state)) {
    const message = "given up by a person"
    if (isActive(state.lifecycle)) yield* actor.send({ _tag: "CrashRun", reason: processLost }, by)
    yield* actor.send({ _tag: "FailRun", reason: { code: abandoned, message } }, by)
  }
  if (changed) yield* actor.send({ _tag: "Define", definition: { ...define, id } }, by)
  return pipeline
})

/** Records of the run that had their outcome when it was cut off. */
const settledRecords = (state: PipelineState): number =>
  Object.values(state.run?.sources ?? {}).reduce((sum, { checkpoint }) => sum + (checkpoint?.offset ?? 0), 0)
