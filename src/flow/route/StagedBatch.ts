/**
 * A batch on its way stage by stage: what has arrived where, what has failed, and what it comes to.
 *
 * @module
 */
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { RecordOrigin, SourceRecord } from "../../drivers/Record.ts"
import type { Scope } from "../expression/Expression.ts"
import type { BranchOutcome, Failure, Outcome } from "../Outcome.ts"
import type { RouteStage } from "./RouteStage.ts"
import { byTrail, type Trail } from "./Trail.ts"

/** Payloads on their way, each with the index of the record it was made of; in source order. */
export interface Stream {
  readonly rows: Array<number>
  readonly payloads: Array<unknown>
  readonly trails: Array<Trail>
}

export const empty = (): Stream => ({ rows: [], payloads: [], trails: [] })

interface StageFailure {
  readonly stage: RouteStage
  readonly reason: Reason
  readonly trail: Trail
}

export interface Batch {
  readonly records: ReadonlyArray<SourceRecord>
  /** The ordinal of the first record in its source. */
  readonly offset: number
  /** Where a record is from: its source and its ordinal there. */
  readonly placeOf: (row: number) => RecordOrigin
  readonly arriving: Map<string, Array<Stream>>
  /** By record. */
  readonly failures: Map<number, Array<StageFailure>>
  /** By record that has failed: the branches that are owed it, where they are more than its failures lead to. */
  readonly owed: Map<number, ReadonlySet<string>>
  /** By branch: records that no edge took on their way to it. */
  readonly unrouted: Map<string, Set<number>>
  /** By branch: records that a stage on their way to it has taken in. */
  readonly taken: Map<string, Set<number>>
  /** By stage that names them: records it has taken in. */
  readonly named: Record<string, Array<number>>
  readonly collected: Map<string, Stream>
}

/** Streams that meet in a stage are put back into source order; of one record, in the order of the trails. */
export const merged = (streams: ReadonlyArray<Stream>): Stream => {
  if (streams.length <= 1) return streams[0] ?? empty()
  const all = streams.flatMap(({ payloads, rows, trails }) =>
    rows.map((row, at) => ({ row, payload: payloads[at], trail: trails[at]! }))
  )
  all.sort((a, b) => a.row - b.row || byTrail(a.trail, b.trail))
  return {
    rows: all.map(({ row }) => row),
    payloads: all.map(({ payload }) => payload),
    trails: all.map(({ trail }) => trail)
  }
}

export const scopeOf = (record: SourceRecord): Scope => ({
  record: null,
  metadata: record.metadata,
  key: record.key ?? null,
  event_time: record.eventTime ?? null
})

export const fail = (batch: Batch, stage: RouteStage, row: number, reason: Reason, trail: Trail): Reason => {
  const known = batch.failures.get(row)
  if (known === undefined) batch.failures.set(row, [{ stage, reason, trail }])
  else known.push({ stage, reason, trail })
  return reason
}

/** In the order in which the pieces of the record would have met them, one after the other. */
export const failuresAt = (batch: Batch, row: number): ReadonlyArray<StageFailure> =>
  (batch.failures.get(row) ?? []).toSorted((a, b) => byTrail(a.trail, b.trail))

/** The first cause on the way of the record is the one that is kept; every branch that is owed it is named. */
const failuresOf = (batch: Batch): ReadonlyMap<number, Failure> =>
  new Map(
    [...batch.failures.keys()]
      .sort((a, b) => a - b)
      .map((index) => {
        const failed = failuresAt(batch, index)
        const { reason, stage } = failed[0]!
        const branches = batch.owed.get(index) ?? new Set(failed.flatMap(({ stage }) => stage.reaches))
        return [index, { index, stage: stage.name, branches: [...branches], reason }]
      })
  )

export const setOf = (sets: Map<string, Set<number>>, name: string): Set<number> => {
  const known = sets.get(name) ?? new Set()
  sets.set(name, known)
  return known
}

export const outcomeOf = (batch: Batch, sinks: ReadonlyArray<string>): Outcome => {
  const failures = failuresOf(batch)
  const reached = new Set<number>()
  const branches: Record<string, BranchOutcome> = {}
  for (const sink of sinks) {
    const branch = branchOf(batch, sink, failures)
    branches[sink] = branch
    for (const row of branch.rows) reached.add(row)
  }
  const lost = new Set([...batch.unrouted.values()].flatMap((rows) => [...rows]))
  const taken = new Set([...batch.taken.values()].flatMap((rows) => [...rows]))
  const totals = { delivered: 0, filtered: 0, unrouted: 0, lettered: 0 }
  let aggregated = 0
  for (let row = 0; row < batch.records.length; row++) {
    if (failures.has(row)) totals.lettered++
    else if (reached.has(row)) totals.delivered++
    else if (taken.has(row)) aggregated++
    else if (lost.has(row)) totals.unrouted++
    else totals.filtered++
  }
  return {
    count: batch.records.length,
    branches,
    failures: [...failures.values()],
    totals: aggregated === 0 ? totals : { ...totals, aggregated },
    ...(Object.keys(batch.named).length === 0 ? {} : { taken: batch.named })
  }
}

/** What a branch gets: a record that failed on it leaves whole. */
const branchOf = (batch: Batch, sink: string, failures: ReadonlyMap<number, Failure>): BranchOutcome => {
  const all = batch.collected.get(sink) ?? empty()
  const failed = (row: number) => failures.get(row)?.branches.includes(sink) === true
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
    lettered: [...failures.values()].filter(({ branches }) => branches.includes(sink)).length,
    ...(taken.size === 0 ? {} : { aggregated: taken.size })
  }
}
