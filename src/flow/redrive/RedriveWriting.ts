/**
 * A redrive between its reading and its last answer: a batch of one. See Writing.ts for the batches of a run.
 *
 * @module
 */
import { redriveKey } from "../../../events/Redrive.ts"
import { lastAttempt, type OpenRedrive, owedBranches } from "../../../projections/OpenRedrive.ts"
import type { Receipt, SinkBatch } from "../../drivers/Sink.ts"
import { type Outcome, sealedBranch, without } from "../Outcome.ts"
import type { RedriveSeal } from "../run/Journal.ts"

/** A letter that was read from the log and sent through the stages. */
export interface Redriven {
  readonly redrive: OpenRedrive
  /** Ordinal of the batch the letter arose in; sinks are told it, no key is made of it. */
  readonly batch: number
  /** Of every branch that is owed. */
  readonly outcome: Outcome
  readonly readAt: number
}

export interface RedriveWriting extends Omit<Redriven, "outcome"> {
  attempt: number
  outcome: Outcome
  /** Branches that have not answered yet. */
  readonly waiting: Set<string>
}

export const beginRedrive = (redriven: Redriven): RedriveWriting => ({
  ...redriven,
  attempt: lastAttempt(redriven.redrive) + 1,
  waiting: new Set(owedBranches(redriven.redrive))
})

/** The next attempt at a branch whose sink will never take what it was given: nothing of the letter goes there. */
export const refuseRedrive = (
  writing: RedriveWriting,
  stage: string,
  refused: ReadonlyArray<{ readonly index: number; readonly message: string }>
): void => {
  writing.attempt++
  writing.outcome = without(writing.outcome, stage, refused)
}

export const sealOfRedrive = (
  { attempt, outcome, redrive: { letter, n } }: RedriveWriting,
  stages: ReadonlyArray<string>,
  bases: ReadonlyMap<string, Receipt>
): RedriveSeal => {
  const failure = outcome.failures.find(({ branches }) => branches.some((branch) => stages.includes(branch)))
  return {
    letter,
    n,
    attempt,
    branches: Object.fromEntries(
      stages.map((stage) => {
        const base = bases.get(stage)
        return [stage, { ...sealedBranch(outcome, stage), ...(base === undefined ? {} : { base }) }]
      })
    ),
    failure:
      failure === undefined
        ? null
        : {
            stage: failure.stage,
            branches: failure.branches.filter((branch) => stages.includes(branch)),
            reason: failure.reason
          }
  }
}

export const redriveBatch = (
  { attempt, batch, outcome, redrive: { letter, n } }: RedriveWriting,
  pipeline: string,
  stage: string
): SinkBatch => ({
  key: redriveKey({ pipeline, letter, stage, n }),
  batch,
  attempt,
  records: outcome.branches[stage]!.records
})
