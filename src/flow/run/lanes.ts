/**
 * The sinks of a worker: opened where the log says they stand, asked what they hold, made visible in the end.
 *
 * @module
 */
import { Effect, Queue, type Scope } from "effect"
import { idempotencyKey } from "../../../events/Checkpoint.ts"
import { redriveKey } from "../../../events/Redrive.ts"
import { owedBranches } from "../../../projections/OpenBatch.ts"
import * as OpenRedrive from "../../../projections/OpenRedrive.ts"
import { own } from "../../../projections/own.ts"
import { abandoned, isOutputComplete, type PipelineState } from "../../../projections/PipelineState.ts"
import type { SinkOpening } from "../../drivers/Sink.ts"
import type { Plan } from "../Plan.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { Applied, RedriveConfirmed } from "./Journal.ts"
import type { Job, Lane } from "./Lane.ts"

export const openLanes = Effect.fnUntraced(function* (
  plan: Plan,
  state: PipelineState,
  epoch: number
): Effect.fn.Return<ReadonlyMap<string, Lane>, StageError, Scope.Scope> {
  const lanes = new Map<string, Lane>()
  for (const { sink, stage } of plan.sinks) {
    const writer = yield* sink.open(openingOf(state, stage, epoch)).pipe(atStage(stage))
    lanes.set(stage, { stage, writer, jobs: yield* Queue.unbounded<Job>() })
  }
  return lanes
})

/** On resume the sinks are asked which keys they hold: the winner's seal then is the truth, C3. */
export const askHeld = Effect.fnUntraced(function* (
  lanes: ReadonlyMap<string, Lane>,
  state: PipelineState
): Effect.fn.Return<ReadonlyArray<Applied>, StageError> {
  const applied: Array<Applied> = []
  for (const { stage, writer } of lanes.values()) {
    const keys = new Map<string, number>()
    for (const batch of state.open) {
      if (!owedBranches(batch).includes(stage)) continue
      const { generation } = batch
      keys.set(idempotencyKey({ pipeline: state.id, generation, batch: batch.batch, stage }), batch.batch)
    }
    if (keys.size === 0) continue
    const held = yield* writer.held([...keys.keys()]).pipe(atStage(stage))
    for (const [key, { attempt, records }] of held) {
      applied.push({
        stage,
        batch: keys.get(key)!,
        key,
        attempt,
        records,
        lagMs: 0,
        duplicate: true,
        receipt: null
      })
    }
  }
  return applied
})

/** Safe to repeat: `OutputFinished` is in the log. */
export const publish = (lanes: ReadonlyMap<string, Lane>) =>
  Effect.forEach(lanes.values(), ({ stage, writer }) => writer.publish.pipe(atStage(stage)), {
    discard: true
  })

/** Where the output stands, as the log has it; one that is complete and visible is added to. */
const openingOf = (state: PipelineState, stage: string, epoch: number): SinkOpening => {
  const { bench, run } = state
  const output = own(run?.outputs, stage)
  const leftover = own(run?.leftovers, stage)?.receipt ?? null
  const opening = { epoch, run: run?.id ?? "" }
  if (isOutputComplete(state, stage) && bench?.unpublished.includes(stage) !== true) {
    // What a run that was given up has recorded is no output: it says how far an appended file is ours.
    const isLeft = run?.failure?.code === abandoned
    const receipt = isLeft ? null : (output?.receipt ?? null)
    const end = isLeft ? (output?.from ?? output)?.receipt : null
    return { ...opening, receipt, leftover: end ?? leftover, finished: false, extends: true }
  }
  return {
    ...opening,
    receipt: output?.receipt ?? null,
    leftover,
    finished: output?.finished ?? false,
    ...(output?.from === undefined ? {} : { before: output.from })
  }
}

/** Of redrives that were sealed before: what their sinks hold is settled, and not made again. C9 */
export const askHeldRedrives = Effect.fnUntraced(function* (
  lanes: ReadonlyMap<string, Lane>,
  state: PipelineState
): Effect.fn.Return<ReadonlyArray<RedriveConfirmed>, StageError> {
  const confirmed: Array<RedriveConfirmed> = []
  for (const { stage, writer } of lanes.values()) {
    const keys = new Map<string, { readonly letter: string; readonly n: number }>()
    for (const redrive of state.bench?.open ?? []) {
      if (!OpenRedrive.isSealed(redrive) || !OpenRedrive.owedBranches(redrive).includes(stage)) continue
      const { letter, n } = redrive
      keys.set(redriveKey({ pipeline: state.id, letter, stage, n }), { letter, n })
    }
    if (keys.size === 0) continue
    const held = yield* writer.held([...keys.keys()]).pipe(atStage(stage))
    for (const [key, { attempt, records }] of held) {
      const { letter, n } = keys.get(key)!
      const known = { stage, key, attempt, records, lagMs: 0, duplicate: true, receipt: null }
      confirmed.push({ letter, n, ...known })
    }
  }
  return confirmed
})
