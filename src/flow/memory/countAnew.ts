/**
 * The sums of a batch, told from what became of each of its records.
 *
 * @module
 */
import { own } from "../../../projections/own.ts"
import type { BranchOutcome, Outcome } from "../Outcome.ts"

/** `reaches` are the sinks behind each stage that takes records in and names them. What was made of memory counts nowhere. */
export const countAnew = (outcome: Outcome, reaches: ReadonlyMap<string, ReadonlyArray<string>>): Outcome => {
  const { count, failures } = outcome
  const takenFor = (branch: string | undefined): ReadonlyArray<number> =>
    [...reaches].flatMap(([stage, sinks]) =>
      branch === undefined || sinks.includes(branch) ? (own(outcome.taken, stage) ?? []).filter(isSource) : []
    )
  const reached = new Set<number>()
  const branches: Record<string, BranchOutcome> = {}
  for (const [branch, of] of Object.entries(outcome.branches)) {
    const delivered = new Set(of.rows.filter(isSource))
    for (const row of delivered) reached.add(row)
    const lettered = new Set(
      failures.flatMap((each) => (isSource(each.index) && each.branches.includes(branch) ? [each.index] : []))
    )
    const { aggregated: _, ...rest } = of
    const taken = without(takenFor(branch), delivered, lettered)
    const left = count - delivered.size - lettered.size - taken.size
    branches[branch] = {
      ...rest,
      delivered: delivered.size,
      lettered: lettered.size,
      unrouted: Math.min(of.unrouted, left),
      ...(taken.size === 0 ? {} : { aggregated: taken.size })
    }
  }
  const lettered = new Set(failures.flatMap(({ index }) => (isSource(index) ? [index] : [])))
  const delivered = without([...reached], lettered)
  const taken = without(takenFor(undefined), reached, lettered)
  const left = count - lettered.size - delivered.size - taken.size
  const unrouted = Math.min(outcome.totals.unrouted, left)
  const totals = { delivered: delivered.size, filtered: left - unrouted, unrouted, lettered: lettered.size }
  return {
    ...outcome,
    branches,
    totals: taken.size === 0 ? totals : { ...totals, aggregated: taken.size }
  }
}

const isSource = (index: number): boolean => index >= 0

const without = (rows: ReadonlyArray<number>, ...others: ReadonlyArray<ReadonlySet<number>>): Set<number> =>
  new Set(rows.filter((row) => others.every((other) => !other.has(row))))
