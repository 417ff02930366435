/**
 * What may be recorded of a run's batches: the rules of the batch protocol that the log itself can check.
 *
 * @module
 */
import { Result } from "effect"
import { endOfTime } from "../../events/BatchMemory.ts"
import { idempotencyKey } from "../../events/Checkpoint.ts"
import type { EventOf, PipelineEvent } from "../../events/PipelineEvent.ts"
import { isOtherwiseSettled } from "../../projections/LettersDue.ts"
import { lastAttempt, type OpenBatch } from "../../projections/OpenBatch.ts"
import { own } from "../../projections/own.ts"
import { evolve, openBatch, type PipelineState } from "../../projections/PipelineState.ts"
import { timeNow } from "../../projections/RunMemory.ts"
import type { RunState } from "../../projections/RunState.ts"
import type { Applied, JournalEntry, Seal } from "../flow/run/Journal.ts"
import { Rejection } from "./Command.ts"
import { confirmRedrives, mayFinish, sealRedrives } from "./letters/recordRedrives.ts"

/** One entry, one append. Confirmations come first: they belong to batches that were sealed before. */
export const decideRecord = (
  entry: JournalEntry,
  before: PipelineState,
  run: RunState
): Result.Result<ReadonlyArray<PipelineEvent>, Rejection> => {
  const events: Array<PipelineEvent> = []
  let state = before
  const add = (event: PipelineEvent): void => {
    events.push(event)
    state = evolve(state, event)
  }
  for (const applied of entry.applied ?? []) {
    const batch = openBatch(state, applied.batch)
    // Already settled, or left long ago: a repeated confirmation changes nothing.
    if (batch === undefined || own(batch.branches, applied.stage)?.winner !== null) continue
    const wrong = checkApplied(applied, batch, state)
    if (wrong !== undefined) return Result.fail(wrong)
    const event = applied.duplicate ? suppression(applied) : application(applied)
    state = evolve(state, event)
    events.push(
      event._tag === "StageApplied" ? { ...event, checkpoint: reached(state, batch.source) } : event
    )
  }
  const unconfirmed = confirmRedrives(entry, () => state, add)
  if (unconfirmed !== undefined) return Result.fail(unconfirmed)
  for (const seal of entry.seals ?? []) {
    const wrong = checkSeal(seal, state)
    if (wrong !== undefined) return Result.fail(wrong)
    add({ _tag: "BatchSealed", ...seal, run: run.id, generation: state.generation })
  }
  const unsealed = sealRedrives(entry, () => state, add)
  if (unsealed !== undefined) return Result.fail(unsealed)
  for (const retry of entry.retries ?? []) add({ _tag: "Retried", ...retry })
  for (const { output, stage } of entry.finished ?? []) {
    const unfinishable = mayFinish(state, stage)
    if (unfinishable !== undefined) return Result.fail(unfinishable)
    if (own(state.run?.outputs, stage)?.finished !== true) add({ _tag: "OutputFinished", stage, output })
  }
  return Result.succeed(events)
}

const checkApplied = (applied: Applied, batch: OpenBatch, state: PipelineState): Rejection | undefined => {
  const key = idempotencyKey({
    pipeline: state.id,
    generation: batch.generation,
    batch: batch.batch,
    stage: applied.stage
  })
  if (applied.key !== key) {
    return new Rejection({ code: "unknown_batch", message: `${applied.key} is not the key of ${key}` })
  }
  // What a sink held before may have been written when the other branches had winners that a set-back has undone.
  if (isEarlyLetters(applied, batch)) {
    return new Rejection({
      code: "batch_out_of_order",
      message: `letters of batch ${applied.batch} were written before it was known that they count`
    })
  }
  // The winner decides, and only an attempt whose seal is in the log can have won.
  return own(batch.attempts[applied.attempt]?.branches, applied.stage) === undefined
    ? new Rejection({
        code: "unknown_attempt",
        message: `${applied.stage} holds attempt ${applied.attempt} of batch ${applied.batch}, which was never sealed`
      })
    : undefined
}

const isEarlyLetters = ({ attempt, duplicate, stage }: Applied, open: OpenBatch): boolean =>
  own(open.attempts[attempt]?.branches, stage)?.ofLetters === true && !duplicate && !isOtherwiseSettled(open)

const suppression = ({ attempt, batch, key, stage }: Applied): EventOf<"DuplicateSuppressed"> => ({
  _tag: "DuplicateSuppressed",
  stage,
  batch,
  key,
  attempt
})

const application = ({
  attempt,
  batch,
  key,
  lagMs,
  receipt,
  records,
  stage
}: Applied): EventOf<"StageApplied"> => ({
  _tag: "StageApplied",
  stage,
  batch,
  key,
  attempt,
  records,
  lagMs,
  checkpoint: null,
  ...(receipt === null ? {} : { receipt })
})

/** The checkpoint an application leads to; the fold has no use for it, people reading the log have. */
const reached = (after: PipelineState, source: string): EventOf<"StageApplied">["checkpoint"] => {
  const checkpoint = own(after.run?.sources, source)?.checkpoint
  return checkpoint ? { source, batch: checkpoint.batch, offset: checkpoint.offset } : null
}

const checkSeal = (seal: Seal, state: PipelineState): Rejection | undefined => {
  const sums = [...Object.entries(seal.branches), ["all branches", seal.totals] as const]
  if (sums.length === 1) {
    return new Rejection({ code: "sums_disagree", message: `batch ${seal.batch} is sealed for no branch` })
  }
  for (const [stage, of] of sums) {
    // Invariant 6: the sums agree.
    if (of.delivered + of.filtered + of.unrouted + of.lettered + (of.aggregated ?? 0) !== seal.count) {
      return new Rejection({
        code: "sums_disagree",
        message: `batch ${seal.batch}: the outcomes of ${stage} do not add up to its ${seal.count} records`
      })
    }
  }
  // A source that has come to its end closes windows with a batch of no records: it goes nowhere.
  const isMadeOfNothing = seal.count === 0 && Object.values(seal.branches).some(({ records }) => records > 0)
  if (isMadeOfNothing && JSON.stringify(seal.range.from) !== JSON.stringify(seal.range.to)) {
    return new Rejection({
      code: "batch_out_of_order",
      message: `batch ${seal.batch} has no records, and moves the place of ${seal.source}`
    })
  }
  const open = openBatch(state, seal.batch)
  return open === undefined
    ? checkFirstSeal(seal, state)
    : (checkLaterSeal(seal, open) ?? checkLetters(seal, open))
}

const newBranch = (ofLetters: true | undefined) => (ofLetters === true ? { winner: null } : undefined)

/** A seal of the letters alone says which of them are written, and that is known when all others have their winners. */
const checkLetters = ({ attempt, batch, branches }: Seal, open: OpenBatch): Rejection | undefined => {
  const sealed = Object.values(branches)
  const isAlone = sealed.length === 1 && sealed[0]?.ofLetters === true
  return isAlone && !isOtherwiseSettled(open)
    ? new Rejection({
        code: "batch_out_of_order",
        message: `attempt ${attempt} at batch ${batch} seals letters of which nobody knows yet whether they count`
      })
    : undefined
}

const checkFirstSeal = (seal: Seal, state: PipelineState): Rejection | undefined => {
  const sealed = own(state.run?.sources, seal.source)?.sealed ?? null
  const offset = sealed?.offset ?? 0
  const follows =
    seal.batch === state.nextBatch &&
    seal.attempt === 1 &&
    seal.offset === offset &&
    JSON.stringify(seal.range.from) === JSON.stringify(sealed?.position ?? null)
  return follows
    ? checkTime(seal, state)
    : new Rejection({
        code: "batch_out_of_order",
        message:
          `batch ${seal.batch} at offset ${seal.offset} of ${seal.source} does not follow: ` +
          `the next one is ${state.nextBatch} at offset ${offset}`
      })
}

/** Invariant 2: event time never moves backwards. A source that had ended may go on, if there is more of it. */
const checkTime = ({ batch, time }: Seal, { run }: PipelineState): Rejection | undefined => {
  const before = timeNow(run?.memory)
  if (time === undefined || before === null) return undefined
  const fell = Object.entries(before.watermarks).find(
    ([source, mark]) => mark !== endOfTime && (own(time.watermarks, source) ?? mark) < mark
  )
  const regressed = before.combined !== null && (time.combined === null || time.combined < before.combined)
  if (fell === undefined && !regressed) return undefined
  return new Rejection({
    code: "batch_out_of_order",
    message: `batch ${batch} takes event time back${fell === undefined ? "" : ` at ${fell[0]}`}`
  })
}

const checkLaterSeal = (seal: Seal, open: OpenBatch): Rejection | undefined => {
  const same =
    seal.source === open.source &&
    seal.offset === open.offset &&
    seal.count === open.count &&
    seal.digest === open.digest &&
    JSON.stringify(seal.range) === JSON.stringify(open.range)
  if (seal.time !== undefined || seal.memory !== undefined) {
    return new Rejection({
      code: "batch_out_of_order",
      message: `batch ${seal.batch} left its memory behind with its first seal: attempt ${seal.attempt} has none`
    })
  }
  if (!same || seal.attempt !== lastAttempt(open) + 1) {
    return new Rejection({
      code: "batch_out_of_order",
      message: `attempt ${seal.attempt} does not follow attempt ${lastAttempt(open)} of batch ${seal.batch}`
    })
  }
  const settled = Object.entries(seal.branches).find(
    // The letters get a branch with the first seal that has some.
    ([stage, { ofLetters }]) => (own(open.branches, stage) ?? newBranch(ofLetters))?.winner !== null
  )?.[0]
  return settled === undefined
    ? undefined
    : new Rejection({
        code: "batch_out_of_order",
        message: `branch ${settled} of batch ${seal.batch} is settled or unknown: it is not sealed again`
      })
}
