/**
 * The runtime as a value, and what a call answers with.
 *
 * @module
 */
import { Result } from "effect"
import type { Checkpoint } from "../../../events/Checkpoint.ts"
import type { PipelineEvent } from "../../../events/PipelineEvent.ts"
import { isSettled, type OpenBatch, owedBranches } from "../../../projections/OpenBatch.ts"
import * as PipelineState from "../../../projections/PipelineState.ts"
import { isActive } from "../../../projections/transitions.ts"
import type { JournalEntry } from "../../flow/run/Journal.ts"
import type { Command, RejectionCode } from "../Command.ts"
import type { Decision } from "../Decision.ts"
import { decide } from "../decide.ts"
import type { RuntimePipeline, RuntimeStage } from "./RuntimePipeline.ts"
import { readKey } from "./RuntimeSeal.ts"

/** A pipeline and all that happened to it. Plain JSON; `state` is the fold of `events`, nothing else. */
export interface Runtime {
  readonly pipeline: RuntimePipeline
  readonly events: ReadonlyArray<PipelineEvent>
  readonly state: PipelineState.PipelineState
}

/** Codes of refusals: those of the engine, and those of what only a runtime is asked. */
export type RuntimeRejectionCode =
  | RejectionCode
  | "unknown_stage"
  | "empty_text"
  | "bad_number"
  | "source_changed"
  | "no_checkpoint"

/** The call did not fit. Nothing happened: `runtime` is the one it was asked of. */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly runtime: Runtime
  readonly reason: {
    readonly code: RuntimeRejectionCode
    readonly message: string
    readonly suggestion?: string
  }
}

/** It happened. `checkpoint` is the newest of the run, `null` while nothing of it is settled. */
export interface Applied {
  readonly _tag: "Applied"
  readonly runtime: Runtime
  readonly checkpoint: Checkpoint | null
}

/** The key had its effect before, and has none again: `runtime` is the one it was asked of (but see `held`). */
export interface DuplicateSuppressed {
  readonly _tag: "DuplicateSuppressed"
  readonly runtime: Runtime
  readonly stage: string
  readonly key: string
}

/** What a call that can only happen or not answers with. */
export type StepResult = Applied | Rejected
/** What a step with a key answers with. */
export type ProcessResult = Applied | DuplicateSuppressed | Rejected

/** The runtime after these events. */
export const after = (runtime: Runtime, events: ReadonlyArray<PipelineEvent>): Runtime => ({
  ...runtime,
  events: [...runtime.events, ...events],
  state: PipelineState.replay(events, runtime.state)
})

/** The engine's answer to a command, as the runtime's. */
export const asked = (runtime: Runtime, command: Command): StepResult =>
  taken(runtime, decide(command, runtime.state))

/** A decision as the runtime's answer: the events happen, or nothing does. */
export const taken = (runtime: Runtime, decision: Decision): StepResult => {
  if (Result.isSuccess(decision)) return applied(after(runtime, decision.success))
  const { code, message, suggestion } = decision.failure
  return rejected(runtime, code, message, suggestion)
}

/** It happened, and this is what it led to. */
export const applied = (runtime: Runtime): Applied => ({
  _tag: "Applied",
  runtime,
  checkpoint: newest(PipelineState.checkpoints(runtime.state))
})

/** It did not happen, and this is why. */
export const rejected = (
  runtime: Runtime,
  code: RuntimeRejectionCode,
  message: string,
  suggestion?: string
): Rejected => ({
  _tag: "Rejected",
  runtime,
  reason: { code, message, ...(suggestion === undefined ? {} : { suggestion }) }
})

/** What the worker would ask to be logged. */
export const record = (runtime: Runtime, entry: JournalEntry): StepResult =>
  asked(runtime, { _tag: "Record", entry })

/** What a sink has not been given yet, oldest first. */
export const owedBy = ({ state }: Runtime, sink: string): ReadonlyArray<OpenBatch> =>
  state.open.filter((batch) => owedBranches(batch).includes(sink))

/** The batch a step is about: the one it names, the one read under its key, or the oldest that is owed. */
export const batchOf = (
  runtime: Runtime,
  ask: { readonly stage: string; readonly batch?: number; readonly key?: string },
  isSink: boolean
): OpenBatch | undefined => {
  const open = isSink ? owedBy(runtime, ask.stage) : runtime.state.open.filter((batch) => !isSettled(batch))
  return ask.batch === undefined
    ? ((ask.key === undefined ? undefined : open.find((batch) => readKey(batch) === ask.key)) ?? open[0])
    : open.find(({ batch }) => batch === ask.batch)
}

/** Also says whether there is a run at all, so that every step of one begins with it. */
export const stageOf = (
  runtime: Runtime,
  name: string
): (RuntimeStage & { readonly _tag: "Stage" }) | Rejected => {
  const { lifecycle } = runtime.state
  if (!isActive(lifecycle)) {
    return rejected(runtime, "not_running", `the pipeline is ${lifecycle}: there is no run to record for`)
  }
  const stage = runtime.pipeline.stages.find((stage) => stage.name === name)
  return stage === undefined
    ? rejected(runtime, "unknown_stage", `${runtime.pipeline.name} has no stage ${name}`)
    : { ...stage, _tag: "Stage" }
}

/** The refusal of the first of these that is no count. */
export const notCount = (
  runtime: Runtime,
  values: Readonly<Record<string, number>>
): Rejected | undefined => {
  const wrong = Object.entries(values).find(
    ([, value]) => !(Number.isInteger(value) && value >= 0 && value <= countMost) || Object.is(value, -0)
  )
  return wrong === undefined
    ? undefined
    : rejected(runtime, "bad_number", `${wrong[0]} is a whole number from 0 to ${countMost}, not ${wrong[1]}`)
}

/** Of one step; sums of so many stay exact. */
const countMost = 1_000_000_000

/** The refusal of a step that no open batch is owed to. */
export const noBatch = (
  runtime: Runtime,
  { batch, stage }: { readonly stage: string; readonly batch?: number }
): Rejected =>
  rejected(
    runtime,
    "unknown_batch",
    batch === undefined
      ? `nothing is owed to ${stage}`
      : `batch ${batch} is settled or was never read: nothing of it is owed to ${stage}`,
    "process a source first: what was not read cannot be handed on"
  )

const newest = (checkpoints: ReadonlyArray<Checkpoint>): Checkpoint | null =>
  checkpoints.reduce<Checkpoint | null>(
    (newest, checkpoint) => (newest === null || checkpoint.batch > newest.batch ? checkpoint : newest),
    null
  )
