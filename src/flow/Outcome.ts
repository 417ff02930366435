/**
 * What became of every record of a batch on every branch, before anything is written.
 *
 * @module
 */
import {
  type Letter,
  leftBefore,
  type Raw,
  type Reason,
  type SealedBranch,
  type Totals
} from "../../events/PipelineEvent.ts"
import { rawOfText } from "../drivers/file/text/rawOf.ts"
import type { RecordOrigin } from "../drivers/Record.ts"
import type { Made } from "./memory/withMade.ts"

/**
 * What goes to one sink: encoded records in source order, each with the index of the record it came from; then
 * what stages have made of their memory, whose indices are below 0.
 */
export interface BranchOutcome {
  readonly records: ReadonlyArray<unknown>
  readonly rows: ReadonlyArray<number>
  readonly delivered: number
  readonly unrouted: number
  readonly lettered: number
  readonly aggregated?: number
}

/** A record that failed: its index in the batch (below 0 of what was made), where, why, and the branches that are owed it. */
export interface Failure {
  readonly index: number
  readonly stage: string
  readonly branches: ReadonlyArray<string>
  readonly reason: Reason
}

export interface Outcome {
  readonly count: number
  readonly branches: Readonly<Record<string, BranchOutcome>>
  /** In source order. */
  readonly failures: ReadonlyArray<Failure>
  readonly totals: Totals
  /** What stages have made of their memory; the first has the index -1. */
  readonly made?: ReadonlyArray<Made>
  /** By stage: the records it has taken in, ascending; of stages that name them. */
  readonly taken?: Readonly<Record<string, ReadonlyArray<number>>>
}

/** What a seal says of a branch. Whatever was neither delivered, unrouted, lettered nor aggregated was filtered. */
export const sealedBranch = (outcome: Outcome, stage: string): SealedBranch => {
  const { aggregated = 0, delivered, lettered, records, unrouted } = outcome.branches[stage]!
  return {
    records: records.length,
    delivered,
    filtered: outcome.count - delivered - unrouted - lettered - aggregated,
    unrouted,
    lettered,
    ...(aggregated === 0 ? {} : { aggregated })
  }
}

/**
 * The dead letters of a batch, for the branches that are being sealed. The id does not depend on the
 * attempt: the same record of the same batch is the same letter, whichever attempt decides it.
 */
export const letters = (
  outcome: Outcome,
  of: {
    readonly source: string
    readonly batch: number
    readonly generation: number
    readonly offset: number
    readonly branches: ReadonlySet<string>
    readonly raw: (index: number) => Raw
    readonly origin?: ((index: number) => RecordOrigin) | undefined
  }
): ReadonlyArray<Letter> =>
  outcome.failures.flatMap(({ branches, index, reason, stage }) => {
    const owed = branches.filter((branch) => of.branches.has(branch))
    return owed.length === 0
      ? []
      : [
          {
            ...placeOf(outcome, of, index),
            stage,
            branches: owed,
            reason
          }
        ]
  })

/** Whose letter it is: that of a source record, or of what a stage has made. */
const placeOf = (
  { made = [] }: Outcome,
  of: Omit<Parameters<typeof letters>[1], "branches">,
  index: number
): Pick<Letter, "id" | "source" | "offset" | "raw" | "origin"> => {
  const batch = `${of.generation}.${of.batch}`
  if (index >= 0) {
    const offset = of.offset + index
    const origin = of.origin === undefined ? {} : { origin: of.origin(index) }
    return { id: `${batch}.${offset}`, source: of.source, offset, raw: of.raw(index), ...origin }
  }
  const offset = -1 - index
  const { payload, stage } = made[offset]!
  return { id: `${batch}.${stage}.${offset}`, source: stage, offset, raw: rawOfText(JSON.stringify(payload)) }
}

/**
 * The outcome of a branch whose sink will never take some of its records. A record that was split
 * leaves whole: all its pieces go, and its letter holds the original.
 */
export const without = (
  outcome: Outcome,
  stage: string,
  refused: ReadonlyArray<{ readonly index: number; readonly message: string }>,
  code = "refused_by_sink"
): Outcome => {
  const branch = outcome.branches[stage]!
  const reasons = new Map<number, string>()
  for (const { index, message } of refused) {
    const row = branch.rows[index]
    if (row !== undefined && !reasons.has(row)) reasons.set(row, message)
  }
  const kept = branch.rows.flatMap((row, at) => (reasons.has(row) ? [] : [at]))
  const failures = [...reasons].map(([index, message]) => ({
    index,
    stage,
    branches: [stage],
    reason: { code, message }
  }))
  const already = new Set(outcome.failures.map(({ index }) => index))
  const sourced = failures.filter(({ index }) => index >= 0)
  const fresh = sourced.filter(({ index }) => !already.has(index)).length
  return {
    ...outcome,
    branches: {
      ...outcome.branches,
      [stage]: {
        ...branch,
        records: kept.map((at) => branch.records[at]),
        rows: kept.map((at) => branch.rows[at]!),
        delivered: branch.delivered - sourced.length,
        lettered: branch.lettered + sourced.length
      }
    },
    failures: [...outcome.failures, ...failures].sort((a, b) => orderOf(a) - orderOf(b)),
    totals: {
      ...outcome.totals,
      delivered: outcome.totals.delivered - fresh,
      lettered: outcome.totals.lettered + fresh
    }
  }
}

/** Source records first, in their order; then what was made. */
export const orderOf = ({ index }: Pick<Failure, "index">): number => (index >= 0 ? index : 2 ** 40 - index)

/**
 * The outcome without a record that has left the dead letters on these branches since its batch was sealed: what was
 * redriven there must not come once more, whatever would become of it now. C11
 */
export const withoutLeft = (outcome: Outcome, index: number, branches: ReadonlyArray<string>): Outcome =>
  branches.reduce((next, stage) => {
    const message = "it was redriven or discarded before its batch was sealed again"
    const pieces = (next.branches[stage]?.rows ?? []).flatMap((row, at) => (row === index ? [at] : []))
    return pieces.length === 0
      ? next
      : without(
          next,
          stage,
          pieces.map((at) => ({ index: at, message })),
          leftBefore
        )
  }, outcome)

/** A single record that is handled on none of these branches. */
export const nacked = (stage: string, branches: ReadonlyArray<string>, reason: Reason): Outcome => ({
  count: 1,
  branches: Object.fromEntries(
    branches.map((branch) => [branch, { records: [], rows: [], delivered: 0, unrouted: 0, lettered: 1 }])
  ),
  failures: [{ index: 0, stage, branches, reason }],
  totals: { delivered: 0, filtered: 0, unrouted: 0, lettered: 1 }
})
