/**
 * The steps of a run that move records. A source step reads a batch and seals it; a transform step is
 * counted; a sink step takes the key for its branch, and with the last branch the checkpoint moves.
 *
 * @module
 */
import { idempotencyKey } from "../../../events/Checkpoint.ts"
import type { EventOf, PipelineEvent } from "../../../events/PipelineEvent.ts"
import { isSettled, lastAttempt, type OpenBatch } from "../../../projections/OpenBatch.ts"
import { openBatch } from "../../../projections/PipelineState.ts"
import * as Seal from "./RuntimeSeal.ts"
import {
  after,
  applied,
  batchOf,
  type DuplicateSuppressed,
  noBatch,
  notCount,
  owedBy,
  type ProcessResult,
  type Runtime,
  record,
  rejected,
  type StepResult,
  stageOf
} from "./RuntimeStep.ts"

/**
 * What a stage did. `key` names what was read (source) or written (sink); giving it again is harmless.
 * A key belongs to its stage and outlives the run: the next run's batches need keys of their own.
 */
export interface ProcessAsk {
  readonly stage: string
  readonly key: string
  /** Records the stage handed on; a whole number. */
  readonly records: number
  /** From reading the batch to the end of this step, in whole milliseconds. */
  readonly lagMs: number
  /** The batch by its ordinal. Without it: the one read under the same key, or else the oldest still owed. */
  readonly batch?: number
  /**
   * Of a sink: it says that it held the key already, because its answer was lost once. Nothing was
   * written this time, the branch is settled all the same, and the history says `DuplicateSuppressed`.
   */
  readonly held?: boolean
}

/**
 * A stage of the pipeline has done its part. Refused outside Running and Replaying, for stages the pipeline
 * has not, empty keys, counts and lags below zero or broken, and for what would break the order of batches.
 * A sink's key that was applied before, in whichever run, is suppressed; so is a source's within its run.
 */
export const process = (runtime: Runtime, ask: ProcessAsk): ProcessResult => {
  const stage = stageOf(runtime, ask.stage)
  if (stage._tag === "Rejected") return stage
  if (ask.key === "") return rejected(runtime, "empty_text", `${ask.stage} needs a key that is not empty`)
  const { batch = 0, lagMs, records } = ask
  const wrong = notCount(runtime, { batch, lagMs, records })
  if (wrong !== undefined) return wrong
  switch (stage.kind) {
    case "source":
      return read(runtime, ask)
    case "transform":
      return transform(runtime, ask)
    case "sink":
      return write(runtime, ask)
  }
}

const read = (runtime: Runtime, ask: ProcessAsk): ProcessResult => {
  const what = { source: ask.stage, key: ask.key, records: ask.records }
  const before = ofRun(runtime).find(
    (event) => event._tag === "StageApplied" && event.stage === ask.stage && event.key === ask.key
  ) as EventOf<"StageApplied"> | undefined
  if (before === undefined) {
    const sinks = runtime.pipeline.stages.filter(({ kind }) => kind === "sink").map(({ name }) => name)
    const seal = Seal.firstSeal(runtime.state, what, sinks)
    const sealed = record(runtime, { seals: [{ ...seal, batch: ask.batch ?? seal.batch }] })
    return counted(sealed, ask, seal.batch)
  }
  const batch = openBatch(runtime.state, before.batch)
  // Only a run that goes on reads again what it has read: the rest of it is owed and has to be had.
  if (batch === undefined || isSettled(batch) || runtime.state.lifecycle !== "Replaying") {
    return suppressed(runtime, ask)
  }
  if (batch.digest !== Seal.digestOf(what) || (ask.batch ?? batch.batch) !== batch.batch) {
    return rejected(
      runtime,
      "source_changed",
      `${ask.stage} gave ${batch.count} records under ${ask.key} as batch ${batch.batch}, and now something else`
    )
  }
  const sealed = record(runtime, { seals: [Seal.sealAgain(runtime.events, batch, Seal.owed(batch))] })
  return counted(sealed, ask, batch.batch)
}

const transform = (runtime: Runtime, ask: ProcessAsk): ProcessResult => {
  const batch = batchOf(runtime, ask, false)
  return batch === undefined ? noBatch(runtime, ask) : counted(applied(runtime), ask, batch.batch)
}

const write = (runtime: Runtime, ask: ProcessAsk): ProcessResult => {
  if (holds(runtime, ask)) return suppressed(runtime, ask)
  const batch = batchOf(runtime, ask, true)
  if (batch === undefined) return noBatch(runtime, ask)
  // Invariant 4: per source and sink, first-success order is source order.
  const first = owedBy(runtime, ask.stage).find(({ source }) => source === batch.source)
  if (first !== batch) {
    return rejected(
      runtime,
      "batch_out_of_order",
      `${ask.stage} has not been given batch ${first?.batch}, which comes before batch ${batch.batch}`
    )
  }
  return ask.held === true ? settleHeld(runtime, ask, batch) : settle(runtime, ask, batch)
}

/** No write before its attempt is sealed: with another outcome than the sealed one, that is sealed first. */
const settle = (runtime: Runtime, ask: ProcessAsk, batch: OpenBatch): ProcessResult => {
  if (Seal.sealedLast(batch, ask.stage).records === ask.records) {
    return confirm(runtime, runtime, ask, batch, batch.branches[ask.stage]!.attempt)
  }
  const branch = Seal.given(batch, ask.stage, ask.records)
  if (branch.records > 0 && branch.delivered === 0) {
    return rejected(
      runtime,
      "sums_disagree",
      `no record of batch ${batch.batch} is left for ${ask.stage}, so ${ask.records} cannot come of it`
    )
  }
  const seal = Seal.sealAgain(runtime.events, batch, { [ask.stage]: branch })
  const sealed = record(runtime, { seals: [seal] })
  return sealed._tag === "Rejected" ? sealed : confirm(runtime, sealed.runtime, ask, batch, seal.attempt)
}

/** The winner decides: a sink that held the key holds the newest attempt that was sealed with what it has. */
const settleHeld = (runtime: Runtime, ask: ProcessAsk, batch: OpenBatch): ProcessResult => {
  const attempts = Object.entries(batch.attempts).filter(
    ([, { branches }]) => branches[ask.stage]?.records === ask.records
  )
  const attempt = Math.max(0, ...attempts.map(([attempt]) => Number(attempt)))
  const result = confirm(runtime, runtime, ask, batch, attempt)
  return result._tag === "Applied" ? suppressed(result.runtime, ask) : result
}

/** The engine knows a branch by its own key; the sink took the caller's, so the history has that one. */
const confirm = (
  before: Runtime,
  runtime: Runtime,
  ask: ProcessAsk,
  { batch, generation }: OpenBatch,
  attempt: number
): StepResult => {
  const { held, lagMs, records, stage } = ask
  const key = idempotencyKey({ pipeline: runtime.state.id, generation, batch, stage })
  const duplicate = held === true
  const result = record(runtime, {
    applied: [{ stage, batch, key, attempt, records, lagMs, duplicate, receipt: null }]
  })
  if (result._tag === "Rejected") return { ...result, runtime: before }
  const fresh = result.runtime.events.slice(runtime.events.length)
  const named = fresh.map((event) => ("key" in event ? { ...event, key: ask.key } : event))
  return applied(after(runtime, named))
}

/** What a source or a transform did, for whoever reads the history: the fold has no use for it. */
const counted = (result: StepResult, ask: ProcessAsk, batch: number): StepResult => {
  if (result._tag === "Rejected") return result
  const { key, lagMs, records, stage } = ask
  const open = openBatch(result.runtime.state, batch)
  const event: PipelineEvent = {
    _tag: "StageApplied",
    stage,
    batch,
    key,
    attempt: open === undefined ? 1 : lastAttempt(open),
    records,
    lagMs,
    checkpoint: null
  }
  return applied(after(result.runtime, [event]))
}

const suppressed = (runtime: Runtime, { key, stage }: ProcessAsk): DuplicateSuppressed => ({
  _tag: "DuplicateSuppressed",
  runtime,
  stage,
  key
})

/** Whether the sink took the key in any run. */
const holds = ({ events }: Runtime, { key, stage }: ProcessAsk): boolean =>
  events.some(
    (event) =>
      (event._tag === "StageApplied" || event._tag === "DuplicateSuppressed") &&
      event.stage === stage &&
      event.key === key
  )

const ofRun = ({ events }: Runtime): ReadonlyArray<PipelineEvent> =>
  events.slice(events.findLastIndex(({ _tag }) => _tag === "RunStarted"))
