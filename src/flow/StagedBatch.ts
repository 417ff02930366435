/**
 * A batch that goes stage by stage, and what has become of it when it is through.
 *
 * @module
 */
import type { Reason } from "../../events/PipelineEvent.ts"
import type { SourceRecord } from "../drivers/Record.ts"
import type { BranchOutcome, Failure, Outcome } from "./Outcome.ts"

/** Payloads on their way, each with the index of the record it was made of; in source order. */
export interface Stream {
  readonly rows: Array<number>
  readonly payloads: Array<unknown>
}

/** A batch on its way through the stages: what arrives where, and what has become of its records so far. */
export interface StagedBatch {
  readonly records: ReadonlyArray<SourceRecord>
  /** The ordinal of the first record in its source. */
  readonly offset: number
  readonly arriving: Map<string, Array<Stream>>
  /** By record: the first cause, and every branch that is owed it. */
  readonly failures: Map<
    number,
    { readonly stage: string; readonly reason: Reason; readonly branches: Set<string> }
  >
  /** By branch: records that no edge took on their way to it. */
  readonly unrouted: Map<string, Set<number>>
  /** By branch: records that a stage on their way to it has taken in. */
  readonly taken: Map<string, Set<number>>
  readonly collected: Map<string, Stream>
}

/** What became of every record, on each of these sinks and on all of them together. */
export const outcomeOf = (batch: StagedBatch, sinks: ReadonlyArray<string>): Outcome => {
  const reached = new Set<number>()
  const branches: Record<string, BranchOutcome> = {}
  for (const sink of sinks) {
    const branch = branchOf(batch, sink)
    branches[sink] = branch
    for (const row of branch.rows) reached.add(row)
  }
  const failures: Array<Failure> = [...batch.failures]
    .sort(([a], [b]) => a - b)
    .map(([index, { branches, reason, stage }]) => ({ index, stage, branches: [...branches], reason }))
  const lost = new Set([...batch.unrouted.values()].flatMap((rows) => [...rows]))
  const taken = new Set([...batch.taken.values()].flatMap((rows) => [...rows]))
  const totals = { delivered: 0, filtered: 0, unrouted: 0, lettered: 0 }
  let aggregated = 0
  for (let row = 0; row < batch.records.length; row++) {
    if (batch.failures.has(row)) totals.lettered++
    else if (reached.has(row)) totals.delivered++
    else if (taken.has(row)) aggregated++
    else if (lost.has(row)) totals.unrouted++
    else totals.filtered++
  }
  return {
    count: batch.records.length,
    branches,
    failures,
    totals: aggregated === 0 ? totals : { ...totals, aggregated }
  }
}

/** What a branch gets: a record that failed on it leaves whole. */
const branchOf = (batch: StagedBatch, sink: string): BranchOutcome => {
  const all = batch.collected.get(sink) ?? { rows: [], payloads: [] }
  const failed = (row: number) => batch.failures.get(row)?.branches.has(sink) === true
  const kept = all.rows.flatMap((row, at) => (failed(row) ? [] : [at]))
  const rows = kept.map((at) => all.rows[at]!)
  const delivered = new Set(rows)
  const open = (row: number) => !delivered.has(row) && !failed(row)
  const taken = new Set([...(batch.taken.get(sink) ?? [])].filter(open))
  const lost = [...(batch.unrouted.get(sink) ?? [])].filter((row) => open(row) && !taken.has(row))
  return {
    records: kept.map((at) => all.payloads[at]),
    rows,
    delivered: delivered.size,
    unrouted: lost.length,
    lettered: [...batch.failures.values()].filter(({ branches }) => branches.has(sink)).length,
    ...(taken.size === 0 ? {} : { aggregated: taken.size })
  }
}
