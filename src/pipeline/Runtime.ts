/**
 * The pure facade: a pipeline as an immutable value that a program or an auditor steps by hand. The
 * same decide and evolve as the actor's, without a fiber, a clock or a driver: time and ids come in
 * with the calls or are counted. A call answers with the next runtime, or with the same one and why.
 *
 * @module
 */
import { Result } from "effect"
import type { Checkpoint } from "../../events/Checkpoint.ts"
import type { PipelineEvent, Reason } from "../../events/PipelineEvent.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { type Lifecycle, mayFollow } from "../../projections/transitions.ts"
import { canonical } from "../flow/contract/Contract.ts"
import { decide } from "./decide.ts"
import { defined, pipelineOf, type RuntimePipeline, sha256 } from "./runtime/RuntimePipeline.ts"
import {
  after,
  applied,
  asked,
  type Runtime,
  rejected,
  type StepResult,
  taken
} from "./runtime/RuntimeStep.ts"

export { historyFindings, valid } from "./runtime/RuntimeAudit.ts"
export {
  definitionOf,
  pipelineFindings,
  pipelineSignature,
  type RuntimePipeline,
  type RuntimeStage,
  type RuntimeStageKind,
  runtimeStageKinds,
  type SourceWire,
  sinkStage,
  sourceStage,
  stageLabels,
  type TransformWire,
  transformStage,
  type UseWire,
  validPipeline
} from "./runtime/RuntimePipeline.ts"
export { type ProcessAsk, process } from "./runtime/RuntimeProcess.ts"
export type {
  Applied,
  DuplicateSuppressed,
  ProcessResult,
  Rejected,
  Runtime,
  RuntimeRejectionCode,
  StepResult
} from "./runtime/RuntimeStep.ts"
export {
  type CheckpointTelemetry,
  type RuntimeTelemetry,
  type StageTelemetry,
  telemetry
} from "./runtime/RuntimeTelemetry.ts"
export { type DeadLetterAsk, type RetryAsk, recordDeadLetter, recordRetry } from "./runtime/RuntimeTrouble.ts"

/** The name of each state, for reports and files. A label never changes once it is released. */
export const lifecycleLabels: Readonly<Record<Lifecycle, string>> = {
  Idle: "idle",
  Scheduled: "scheduled",
  Triggered: "triggered",
  Running: "running",
  Failed: "failed",
  Crashed: "crashed",
  Replaying: "replaying",
  Completed: "completed"
}

/** A runtime that is idle. With an invalid pipeline there is one too, but it cannot be scheduled or triggered. */
export const make = (pipeline: RuntimePipeline): Runtime => fromEvents([defined(pipeline)])

/** The runtime with this history, which `valid` judges; one with another beginning has no stages. */
export const fromEvents = (events: ReadonlyArray<PipelineEvent>): Runtime => {
  const [first] = events
  const pipeline = first?._tag === "Defined" ? pipelineOf(first) : { name: "", stages: [] }
  return { pipeline, events, state: PipelineState.replay(events) }
}

/** The next tick and when it is due, in milliseconds since 1970. */
export const schedule = (
  runtime: Runtime,
  { dueAt, tick }: { readonly tick: string; readonly dueAt: number }
): StepResult => {
  const { definition, lifecycle } = runtime.state
  if (tick === "") return rejected(runtime, "empty_text", "a tick needs a name")
  if (!Number.isSafeInteger(dueAt)) {
    return rejected(runtime, "bad_number", `${dueAt} is not a time in whole milliseconds since 1970`)
  }
  if (definition === null || definition.signature === null) {
    return rejected(runtime, "invalid_definition", "an invalid pipeline is not scheduled")
  }
  return mayFollow(lifecycle, "Scheduled")
    ? applied(after(runtime, [{ _tag: "Scheduled", tick, dueAt }]))
    : rejected(runtime, "illegal_transition", `a pipeline that is ${lifecycle} cannot be scheduled`)
}

/** A run is asked for: why, and by which tick, if one came due. */
export const trigger = (
  runtime: Runtime,
  { reason, tick }: { readonly reason: string; readonly tick?: string }
): StepResult => {
  const decision = decide({ _tag: "Trigger", reason }, runtime.state)
  // The engine's command knows no ticks yet; the event does.
  return taken(
    runtime,
    tick === undefined
      ? decision
      : Result.map(decision, (events) =>
          events.map((event) => (event._tag === "Triggered" ? { ...event, tick } : event))
        )
  )
}

/** The run begins, at the beginning of every source; without an id it is called by its number. */
export const start = (runtime: Runtime, { run }: { readonly run?: string } = {}): StepResult => {
  if (run === "") return rejected(runtime, "empty_text", "a run needs an id")
  const number = runtime.events.filter(({ _tag }) => _tag === "RunStarted").length + 1
  return asked(runtime, { _tag: "StartRun", run: run ?? `run-${number}` })
}

/** The run failed and waits for a person; it keeps its place, unless the code is `abandoned`. */
export const fail = (runtime: Runtime, reason: Reason): StepResult =>
  asked(runtime, { _tag: "FailRun", reason })

/** Whoever worked on the run is gone. */
export const crash = (runtime: Runtime, reason: Reason): StepResult =>
  asked(runtime, { _tag: "CrashRun", reason })

/** The run is done; refused with `batches_owed` while a sink has not been given all that was read. */
export const complete = (runtime: Runtime): StepResult => asked(runtime, { _tag: "CompleteRun" })

/**
 * A failed or crashed run goes on from its checkpoints as `Replaying`. What was read and not settled
 * is still owed: read it again under its keys, or hand it to its sinks as it was sealed.
 */
export const resumeFromLatestCheckpoint = (runtime: Runtime): StepResult => {
  const { lifecycle } = runtime.state
  if (lifecycle !== "Failed" && lifecycle !== "Crashed") {
    return rejected(runtime, "nothing_to_resume", `a pipeline that is ${lifecycle} has no run to resume`)
  }
  if (checkpoints(runtime).length === 0) {
    return rejected(
      runtime,
      "no_checkpoint",
      "nothing of the run is settled: there is no place to go on from",
      "give the run up (fail it as abandoned) and trigger a new one"
    )
  }
  return asked(runtime, { _tag: "ResumeRun" })
}

/** Where the current run is. */
export const lifecycle = ({ state }: Runtime): Lifecycle => state.lifecycle

/** How far each source of the current run is settled. */
export const checkpoints = ({ state }: Runtime): ReadonlyArray<Checkpoint> => PipelineState.checkpoints(state)

/** The keys each sink holds, in the order in which it took them, over all runs. */
export const sinkIdempotencyKeys = (runtime: Runtime): Readonly<Record<string, ReadonlyArray<string>>> => {
  const sinks = runtime.pipeline.stages.filter(({ kind }) => kind === "sink")
  const keys = new Map(sinks.map(({ name }): [string, Array<string>] => [name, []]))
  for (const event of runtime.events) {
    if (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") {
      keys.get(event.stage)?.push(event.key)
    }
  }
  return Object.fromEntries(keys)
}

/**
 * SHA-256 (hex) of the history: its events as JSON with sorted keys, one a line. The same history has
 * the same signature on every machine.
 */
export const signature = ({ events }: Runtime): string => sha256(events.map(canonical).join("\n"))

/** The pipeline it was made for. */
export const runtimePipeline = ({ pipeline }: Runtime): RuntimePipeline => pipeline
