/**
 * The way of a batch through stages of which some wait: one stage after the other, each with all the
 * records that reach it. It means the same as the fused route of Route.ts, which is faster and cannot wait.
 *
 * @module
 */
import { Effect } from "effect"
import type { Reason } from "../../events/PipelineEvent.ts"
import type { RecordOrigin, SourceRecord } from "../drivers/Record.ts"
import { askUntilAnswered } from "./askUntilAnswered.ts"
import type { Scope } from "./expression/Expression.ts"
import type { BranchOutcome, Failure, Outcome } from "./Outcome.ts"
import { dropped, type Piece, type Pieces, type RouteStage, reasonOf, unrouted, wrongWith } from "./Route.ts"
import { reachedFrom } from "./reachedFrom.ts"
import type { StageError } from "./StageError.ts"
import { type Taken, takeBack } from "./takeBack.ts"

/** Payloads on their way, each with the index of the record it was made of; in source order. */
interface Stream {
  readonly rows: Array<number>
  readonly payloads: Array<unknown>
}

interface Batch {
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

/**
 * `sources` are those whose records may be in one batch; `order` names the stages that take part, so that each comes
 * behind those it has its records from.
 */
export const compileStagedRoute =
  (
    sources: ReadonlyArray<string>,
    stages: ReadonlyMap<string, RouteStage>,
    order: ReadonlyArray<string>,
    onUnrouted: "dead_letter" | "drop"
  ) =>
  (
    records: ReadonlyArray<SourceRecord>,
    offset = 0,
    origin?: (index: number) => RecordOrigin
  ): Effect.Effect<Outcome, StageError> =>
    Effect.gen(function* () {
      const batch = begin(records, offset, (row) => stages.get(origin?.(row).source ?? sources[0]!))
      for (const name of order) {
        const stage = stages.get(name)!
        if (stage.take !== undefined) continue
        const arrived = merged(batch.arriving.get(name) ?? [])
        if (arrived.rows.length === 0) continue
        const pieces =
          stage.waiting === undefined
            ? stepAll(stage, batch, arrived)
            : yield* waitAll(stage, stage.waiting, batch, arrived)
        passOn(stage, batch, arrived.rows, pieces, onUnrouted)
      }
      takeAll(
        batch,
        order.map((name) => stages.get(name)!).filter(({ take }) => take !== undefined)
      )
      return outcomeOf(batch, reachedFrom(sources, stages))
    })

/** A source that takes no part has no stage: its records have gone their way. */
const begin = (
  records: ReadonlyArray<SourceRecord>,
  offset: number,
  entryOf: (row: number) => RouteStage | undefined
): Batch => {
  const batch: Batch = {
    records,
    offset,
    arriving: new Map(),
    failures: new Map(),
    unrouted: new Map(),
    taken: new Map(),
    collected: new Map()
  }
  for (const [row, { failure, payload }] of records.entries()) {
    const entry = entryOf(row)
    if (entry === undefined) continue
    if (failure !== undefined) {
      fail(batch, entry, row, failure)
      continue
    }
    const start = batch.arriving.get(entry.name)?.[0] ?? { rows: [], payloads: [] }
    if (start.rows.length === 0) batch.arriving.set(entry.name, [start])
    start.rows.push(row)
    start.payloads.push(payload)
  }
  return batch
}

/** Streams that meet in a stage are put back into source order; of one record, in the order of the edges. */
const merged = (streams: ReadonlyArray<Stream>): Stream => {
  if (streams.length <= 1) return streams[0] ?? { rows: [], payloads: [] }
  const all = streams.flatMap(({ payloads, rows }) => rows.map((row, at) => ({ row, payload: payloads[at] })))
  all.sort((a, b) => a.row - b.row)
  return { rows: all.map(({ row }) => row), payloads: all.map(({ payload }) => payload) }
}

const scopeOf = (record: SourceRecord): Scope => ({
  record: null,
  metadata: record.metadata,
  key: record.key ?? null,
  event_time: record.eventTime ?? null
})

const stepAll = (stage: RouteStage, { records }: Batch, { payloads, rows }: Stream): Pieces =>
  payloads.map((payload, at) => {
    try {
      return stepOne(stage, payload, scopeOf(records[rows[at]!]!))
    } catch (error) {
      return { _tag: "Failed", reason: reasonOf(error, "stage_failed") }
    }
  })

const stepOne = ({ split, step }: RouteStage, payload: unknown, scope: Scope): Piece => {
  if (split !== undefined) {
    const payloads = split(payload, scope)
    return payloads === dropped ? { _tag: "Dropped" } : { _tag: "Many", payloads }
  }
  const value = step === undefined ? payload : step(payload, scope)
  return value === dropped ? { _tag: "Dropped" } : { _tag: "Passed", payload: value }
}

/** Offsets are captured before the stage runs: whatever it makes of its records, its answers are theirs. */
const waitAll = (
  { name }: RouteStage,
  step: NonNullable<RouteStage["waiting"]>,
  { offset, records }: Batch,
  { payloads, rows }: Stream
): Effect.Effect<Pieces, StageError> => {
  const origins = rows.map((row) => ({ offset: offset + row, record: records[row]! }))
  return askUntilAnswered(name, step, payloads, origins)
}

/**
 * Nothing goes on from a stage that takes records in, so these come last, when it is known which records have
 * failed elsewhere; and record by record, so that the latest can be taken back.
 */
const takeAll = (batch: Batch, stages: ReadonlyArray<RouteStage>): void => {
  const arrived = stages.flatMap((stage) => {
    const { payloads, rows } = merged(batch.arriving.get(stage.name) ?? [])
    return rows.map((row, at) => ({ row, stage, payload: payloads[at] }))
  })
  arrived.sort((a, b) => a.row - b.row)
  let taken: Array<Taken> = []
  for (const [at, { payload, row, stage }] of arrived.entries()) {
    try {
      taken.push({ stage, undo: stage.take!(payload, scopeOf(batch.records[row]!)) })
    } catch (error) {
      fail(batch, stage, row, reasonOf(error, "stage_failed"))
    }
    if (arrived[at + 1]?.row === row) continue
    const left = takeBack(taken, batch.failures.get(row)?.branches ?? new Set())
    for (const { stage } of left) for (const branch of stage.reaches) setOf(batch.taken, branch).add(row)
    taken = []
  }
}

interface Onward {
  readonly to: string
  readonly when: RouteStage["edges"][number]["when"]
  readonly stream: Stream
}

const passOn = (
  stage: RouteStage,
  batch: Batch,
  rows: ReadonlyArray<number>,
  pieces: Pieces,
  onUnrouted: "dead_letter" | "drop"
): void => {
  const onward = stage.edges.map(({ to, when }): Onward => ({ to, when, stream: { rows: [], payloads: [] } }))
  const pass = (row: number, payload: unknown): void => {
    const wrong = wrongWith(stage, payload)
    if (wrong !== undefined) fail(batch, stage, row, wrong)
    else if (stage.encode !== undefined) collect(stage, stage.encode, batch, row, payload)
    else if (!routed(onward, batch, row, payload)) {
      if (onUnrouted === "dead_letter") fail(batch, stage, row, unrouted(stage))
      else for (const branch of stage.reaches) setOf(batch.unrouted, branch).add(row)
    }
  }
  for (const [at, piece] of pieces.entries()) {
    const row = rows[at]!
    if (piece._tag === "Passed") pass(row, piece.payload)
    else if (piece._tag === "Many") for (const payload of piece.payloads) pass(row, payload)
    else if (piece._tag === "Failed") fail(batch, stage, row, piece.reason)
  }
  for (const { stream, to } of onward) {
    batch.arriving.set(to, [...(batch.arriving.get(to) ?? []), stream])
  }
}

/** Multicast: the payload goes along every edge whose condition holds; says whether there was one. */
const routed = (onward: ReadonlyArray<Onward>, batch: Batch, row: number, payload: unknown): boolean => {
  const scope = { ...scopeOf(batch.records[row]!), record: payload }
  let taken = false
  for (const { stream, when } of onward) {
    if (when !== undefined && !when(scope)) continue
    taken = true
    stream.rows.push(row)
    stream.payloads.push(payload)
  }
  return taken
}

const collect = (
  stage: RouteStage,
  encode: NonNullable<RouteStage["encode"]>,
  batch: Batch,
  row: number,
  payload: unknown
): void => {
  const sink = batch.collected.get(stage.name) ?? { rows: [], payloads: [] }
  batch.collected.set(stage.name, sink)
  try {
    sink.payloads.push(encode(payload))
    sink.rows.push(row)
  } catch (error) {
    fail(batch, stage, row, reasonOf(error, "encoding_failed"))
  }
}

const fail = ({ failures }: Batch, stage: RouteStage, row: number, reason: Reason): void => {
  const known = failures.get(row)
  if (known === undefined) failures.set(row, { stage: stage.name, reason, branches: new Set(stage.reaches) })
  else for (const branch of stage.reaches) known.branches.add(branch)
}

const setOf = (sets: Map<string, Set<number>>, name: string): Set<number> => {
  const known = sets.get(name) ?? new Set()
  sets.set(name, known)
  return known
}

const outcomeOf = (batch: Batch, sinks: ReadonlyArray<string>): Outcome => {
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
const branchOf = (batch: Batch, sink: string): BranchOutcome => {
  const all = batch.collected.get(sink) ?? { rows: [], payloads: [] }
  const failed = (row: number) => batch.failures.get(row)?.branches.has(sink) === true
  const kept = all.rows.flatMap((row, at) => (failed(row) ? [] : [at]))
  const rows = kept.map((at) => all.rows[at]!)
  const delivered = new Set(rows)
  const open = (row: number) => !delivered.has(row) && !failed(row)
  const taken = [...(batch.taken.get(sink) ?? [])].filter(open)
  const lost = [...(batch.unrouted.get(sink) ?? [])].filter((row) => open(row) && !taken.includes(row))
  return {
    records: kept.map((at) => all.payloads[at]),
    rows,
    delivered: delivered.size,
    unrouted: lost.length,
    lettered: [...batch.failures.values()].filter(({ branches }) => branches.has(sink)).length,
    ...(taken.length === 0 ? {} : { aggregated: taken.length })
  }
}
