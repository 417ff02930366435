/**
 * What stages have made of their memory joins what became of the records of the batch.
 *
 * @module
 */
import { own } from "../../../projections/own.ts"
import type { SourceRecord } from "../../drivers/Record.ts"
import type { BranchOutcome, Outcome } from "../Outcome.ts"

/** A record that a stage has made: it came from no source. */
export interface Made {
  readonly stage: string
  readonly payload: unknown
}

/** A branch that nothing has reached. */
export const nothing: BranchOutcome = { records: [], rows: [], delivered: 0, unrouted: 0, lettered: 0 }

/** A batch of no records, for these branches. */
export const emptyOutcome = (branches: ReadonlyArray<string>): Outcome => ({
  count: 0,
  branches: Object.fromEntries(branches.map((branch) => [branch, nothing])),
  failures: [],
  totals: { delivered: 0, filtered: 0, unrouted: 0, lettered: 0 }
})

/**
 * `onward` is what became of the records that the stage has made. They count as no source records: a branch's
 * sums stay as they are, it only gets more.
 */
export const withMade = (
  outcome: Outcome,
  stage: string,
  records: ReadonlyArray<SourceRecord>,
  onward: Outcome
): Outcome => {
  const before = outcome.made ?? []
  const indexOf = (index: number): number => -1 - (before.length + index)
  const branches = { ...outcome.branches }
  for (const [sink, of] of Object.entries(onward.branches)) {
    if (of.records.length === 0 && of.lettered === 0) continue
    const known = branches[sink] ?? nothing
    branches[sink] = {
      ...known,
      records: [...known.records, ...of.records],
      rows: [...known.rows, ...of.rows.map(indexOf)]
    }
  }
  return {
    ...outcome,
    branches,
    failures: [
      ...outcome.failures,
      ...onward.failures.map((failure) => ({ ...failure, index: indexOf(failure.index) }))
    ],
    made: [...before, ...records.map(({ payload }) => ({ stage, payload }))],
    ...(onward.taken === undefined ? {} : { taken: takenTogether(outcome.taken, onward.taken, indexOf) })
  }
}

const takenTogether = (
  known: Outcome["taken"] = {},
  onward: NonNullable<Outcome["taken"]>,
  indexOf: (index: number) => number
): NonNullable<Outcome["taken"]> => {
  const all = { ...known }
  for (const [stage, rows] of Object.entries(onward)) {
    all[stage] = [...(own(known, stage) ?? []), ...rows.map(indexOf)].sort((a, b) => a - b)
  }
  return all
}

/** The outcome with every branch that a seal has named, also where nothing reaches it this time. */
export const withBranches = (outcome: Outcome, branches: ReadonlyArray<string>): Outcome => ({
  ...outcome,
  branches: { ...Object.fromEntries(branches.map((branch) => [branch, nothing])), ...outcome.branches }
})
