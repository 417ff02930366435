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
import type { Asker } from "./Asker.ts"
import { awaitState } from "./awaitState.ts"
import { Rejection } from "./Command.ts"
import type { PipelineActor, SendError } from "./PipelineActor.ts"
import { type HostedPipeline, Pipelines, type RegisterError } from "./Pipelines.ts"
import { processLost } from "./situation.ts"

export interface DefineRequest {
  /** A valid definition, as it was sent. Its id is given by the catalog. */
  readonly define: Omit<EventOf<"Defined">, "_tag" | "id">
  /** Who asks. */
  readonly by: Asker
  /** Give up an unfinished run instead of resuming it, or refusing another definition. */
  readonly abandon: boolean
}

export interface RunRequest {
  readonly by: Asker
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

/** Somebody in this process works on the run; one that was found under way and not adopted is nobody's. */
export const isAtWork = (actor: PipelineActor, { lifecycle, run }: PipelineState): boolean =>
  isActive(lifecycle) && run?.lives !== actor.lostLife

/** A deployment that failed, or that an earlier process was taking down, is left by shutting down. */
const shutDownFirst = Effect.fnUntraced(function* (actor: PipelineActor, by: Asker) {
  const { deployment, desired } = yield* actor.state
  if (deployment !== "Failed" && (desired !== "Shutdown" || deployment === "Shutdown")) return
  yield* shutDown(actor, by, "to be started anew")
})

/** Resolves once the pipeline is shut down. */
export const shutDown = Effect.fnUntraced(function* (actor: PipelineActor, by: Asker, reason: string) {
  yield* actor.send({ _tag: "SetDesired", desired: "Shutdown", reason }, by)
  yield* awaitState(actor, ({ deployment }) => deployment === "Shutdown")
})

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
  const { actor, adopt } = pipeline
  // Looked at before it is adopted: from then on what an earlier process left goes on by itself.
  const before = yield* actor.state
  if (isAtWork(actor, before)) {
    const message = `run ${before.run?.id} is under way`
    return yield* new Rejection({ code: "already_running", message })
  }
  yield* adopt
  yield* shutDownFirst(actor, request.by)
  yield* actor.send({ _tag: "Run", reason: request.reason }, request.by)
  const resumes = hasUnfinishedRun(before)
  const resumedFrom = resumes ? settledRecords(before) : null
  const began = before.run?.lives ?? 0
  const started = (state: PipelineState): boolean =>
    resumes ? (state.run?.lives ?? 0) > began : state.run !== null && state.run.id !== before.run?.id
  const failed = (state: PipelineState): boolean => state.deployment === "Failed"
  yield* awaitState(actor, (state) => started(state) || failed(state))
  if (request.onStarted !== undefined) yield* request.onStarted(pipeline, resumedFrom)

  yield* request.stop.pipe(
    Effect.andThen(
      actor.send({ _tag: "SetDesired", desired: "Shutdown", reason: "asked to stop" }, request.by)
    ),
    Effect.ignore,
    Effect.forkScoped
  )
  const state = yield* awaitState(
    actor,
    (state) => (started(state) && !isActive(state.lifecycle)) || failed(state)
  )
  yield* shutDown(actor, request.by, "the run has ended")
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
  const isFruitless = changed && failedBeforeItRead(state)
  if ((abandon || isFruitless) && hasUnfinishedRun(state)) {
    const message = abandon ? "given up by a person" : "it had read nothing, and is defined anew"
    if (isActive(state.lifecycle)) yield* actor.send({ _tag: "CrashRun", reason: processLost }, by)
    yield* actor.send({ _tag: "FailRun", reason: { code: abandoned, message } }, by)
  }
  if (!changed) return pipeline
  const { deployment, desired } = yield* actor.state
  // Nobody is at work under the old definition any more; what is left of its deployment is taken down.
  if (!hasUnfinishedRun(yield* actor.state) && (deployment !== "Shutdown" || desired !== "Shutdown")) {
    yield* pipeline.adopt
    yield* shutDown(actor, by, "to be defined anew")
  }
  yield* actor.send({ _tag: "Define", definition: { ...define, id } }, by)
  return pipeline
})

/** A run that came to nothing has no place to lose: a file that names the wrong path is mended and run again. */
const failedBeforeItRead = ({ generation, lifecycle, open, run }: PipelineState): boolean =>
  run !== null && !isActive(lifecycle) && generation === 0 && open.length === 0 && run.counts.batches === 0

/** Records of the run that had their outcome when it was cut off. */
const settledRecords = (state: PipelineState): number =>
  Object.values(state.run?.sources ?? {}).reduce((sum, { checkpoint }) => sum + (checkpoint?.offset ?? 0), 0)
