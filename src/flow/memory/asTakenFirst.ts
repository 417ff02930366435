/**
 * A batch that is made again, where stages take records in: what they took in with its first seal is in their
 * memory, and nothing else ever will be, whatever answers its records meet this time.
 *
 * So a record that was taken in then has had its outcome on the branches behind the stage, although it fails or
 * goes another way now. One that comes to the stage only now comes too late: it is a dead letter, or it would be
 * lost, since the letter that the first attempt may have had of it is void once another one wins.
 *
 * @module
 */
import { own } from "../../../projections/own.ts"
import { type Failure, type Outcome, orderOf } from "../Outcome.ts"

/** Indices of records of a batch, from and up to; ascending. */
export type Rows = ReadonlyArray<readonly [from: number, to: number]>

/** `rows` ascend. */
export const rangesOf = (rows: ReadonlyArray<number>): Rows => {
  const ranges: Array<[number, number]> = []
  for (const row of rows) {
    const last = ranges.at(-1)
    if (last?.[1] === row) last[1]++
    else ranges.push([row, row + 1])
  }
  return ranges
}

/** A stage that takes records in, the sinks it leads to, and what it took in first. */
export interface Taker {
  readonly stage: string
  readonly reaches: ReadonlyArray<string>
  readonly first: Rows
}

/** `straight` are the sinks that a record may reach without being taken in on its way. */
export const asTakenFirst = (
  outcome: Outcome,
  { first, reaches, stage }: Taker,
  straight: (index: number) => ReadonlySet<string>
): Outcome => {
  const rows = first.flatMap(([from, to]) => Array.from({ length: to - from }, (_, at) => from + at))
  const before = new Set(rows)
  const late = new Set((own(outcome.taken, stage) ?? []).filter((row) => !before.has(row)))
  const failures = new Map<number, Failure>()
  for (const failure of outcome.failures) {
    const { branches, index } = failure
    const owed = before.has(index)
      ? branches.filter((branch) => !reaches.includes(branch) || straight(index).has(branch))
      : branches
    if (owed.length > 0) failures.set(index, { ...failure, branches: owed })
  }
  for (const index of late) {
    const { branches = [], ...known } = failures.get(index) ?? { index, stage, reason: tooLate(stage) }
    failures.set(index, { ...known, branches: [...new Set([...branches, ...reaches])] })
  }
  const branches = { ...outcome.branches }
  for (const branch of reaches) {
    const of = own(branches, branch)
    if (of === undefined || late.size === 0) continue
    const kept = of.rows.flatMap((row, at) => (late.has(row) ? [] : [at]))
    branches[branch] = {
      ...of,
      records: kept.map((at) => of.records[at]),
      rows: kept.map((at) => of.rows[at]!)
    }
  }
  return {
    ...outcome,
    branches,
    failures: [...failures.values()].sort((a, b) => orderOf(a) - orderOf(b)),
    taken: { ...outcome.taken, [stage]: rows }
  }
}

const tooLate = (stage: string): Failure["reason"] => ({
  code: "not_taken_in",
  message: `${stage} had closed its account of this batch before the record came to it`
})
