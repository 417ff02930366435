/**
 * A batch between its reading and its last answer: what is sealed of it, and what is written.
 *
 * @module
 */
import { idempotencyKey } from "../../../events/Checkpoint.ts"
import { deadLettersBranch, type SealedBranch } from "../../../events/PipelineEvent.ts"
import { lastAttempt, owedBranches } from "../../../projections/OpenBatch.ts"
import { own } from "../../../projections/own.ts"
import type { Receipt, SinkBatch } from "../../drivers/Sink.ts"
import { isSent, lettersForeseen } from "../letters/lettersBranch.ts"
import { letters, type Outcome, sealedBranch, without } from "../Outcome.ts"
import type { Seal } from "./Journal.ts"
import type { Prepared } from "./Reader.ts"

export interface Writing {
  readonly prepared: Prepared
  readonly batch: number
  readonly generation: number
  /** Grows with every seal of this batch; attempts belong to branches, their numbers to the batch. */
  attempt: number
  outcome: Outcome
  /** Branches that have not answered yet. */
  readonly waiting: Set<string>
  /** Its letters go to a dead-letter sink, which is not known to hold them. */
  readonly sendsLetters: boolean
}

/** A batch that is owed from before gets a new attempt at its owed branches; a new one takes `nextBatch`. */
export const begin = (
  prepared: Prepared,
  nextBatch: number,
  generation: number,
  hasLetterSink = false
): Writing => {
  const { outcome, owed } = prepared
  return owed === undefined
    ? {
        prepared,
        batch: nextBatch,
        generation,
        attempt: 1,
        outcome,
        waiting: new Set(Object.keys(outcome.branches)),
        sendsLetters: hasLetterSink
      }
    : {
        prepared,
        batch: owed.batch,
        generation: owed.generation,
        attempt: lastAttempt(owed) + 1,
        outcome,
        // Which letters count is known when the others have their winners.
        waiting: new Set(owedBranches(owed).filter((stage) => !hasLetterSink || stage !== deadLettersBranch)),
        sendsLetters: hasLetterSink && (own(owed.branches, deadLettersBranch)?.winner ?? null) === null
      }
}

/** The next attempt at a branch: without the records its sink will never take. */
export const refuse = (
  writing: Writing,
  stage: string,
  refused: ReadonlyArray<{ readonly index: number; readonly message: string }>
): void => {
  writing.attempt++
  writing.outcome = without(writing.outcome, stage, refused)
}

/** What goes into the log before any of these branches is written. */
export const sealOf = (
  writing: Writing,
  stages: ReadonlyArray<string>,
  bases: ReadonlyMap<string, Receipt>
): Seal => {
  const { attempt, batch, generation, outcome } = writing
  const { of, offset, range, read } = writing.prepared
  const branches: Record<string, SealedBranch> = {}
  const seal = (stage: string, sealed: SealedBranch): void => {
    const base = bases.get(stage)
    branches[stage] = base === undefined ? sealed : { ...sealed, base }
  }
  for (const stage of stages) seal(stage, sealedBranch(outcome, stage))
  const sealed = letters(outcome, {
    source: of.stage,
    batch,
    generation,
    offset,
    branches: new Set(stages),
    raw: (index) => read.raw(index),
    origin: read.origin
  })
  if (writing.sendsLetters && sealed.some(isSent)) seal(deadLettersBranch, lettersForeseen(outcome))
  return {
    batch,
    attempt,
    source: of.stage,
    range,
    offset,
    count: outcome.count,
    digest: read.digest,
    branches,
    totals: outcome.totals,
    letters: sealed,
    ...(attempt === 1 ? writing.prepared.left : {})
  }
}

/** What a sink is given, once the seal is in the log. */
export const sinkBatch = (
  { attempt, batch, generation, outcome }: Writing,
  pipeline: string,
  stage: string
): SinkBatch => ({
  key: idempotencyKey({ pipeline, generation, batch, stage }),
  batch,
  attempt,
  records: outcome.branches[stage]!.records
})
