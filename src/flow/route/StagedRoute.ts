/**
 * The way of a batch through stages of which some wait, or are looked at: one stage after the other, each with
 * all the records that reach it. It gives the very same as the fused route of Route.ts, which is faster and
 * cannot wait; so that one attempt at a batch may take this way and the next one the other.
 *
 * @module
 */
import { Effect } from "effect"
import type { Reason } from "../../../events/PipelineEvent.ts"
import type { RecordOrigin, SourceRecord } from "../../drivers/Record.ts"
import type { Scope } from "../expression/Expression.ts"
import type { Outcome } from "../Outcome.ts"
import type { StageError } from "../StageError.ts"
import type { Saw } from "../tap/Tap.ts"
import type { Watch } from "../tap/Taps.ts"
import { askUntilAnswered } from "./askUntilAnswered.ts"
import { dropped, type Piece, type Pieces, type RouteStage, reasonOf, unrouted, wrongWith } from "./Route.ts"
import { reachedFrom } from "./reachedFrom.ts"
import { type Batch, empty, fail, merged, outcomeOf, type Stream, scopeOf, setOf } from "./StagedBatch.ts"
import { root, type Trail } from "./Trail.ts"
import { takeAll } from "./takeAll.ts"

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
    origin?: (index: number) => RecordOrigin,
    watch?: Watch
  ): Effect.Effect<Outcome, StageError> =>
    Effect.gen(function* () {
      const placeOf = origin ?? ((row: number) => ({ source: sources[0]!, offset: offset + row }))
      const batch = begin(records, offset, placeOf, stages)
      if (watch !== undefined) for (const row of batch.failures.keys()) watch.failed(batch, row)
      for (const name of order) {
        const stage = stages.get(name)!
        if (stage.take !== undefined) continue
        const arrived = merged(batch.arriving.get(name) ?? [])
        if (arrived.rows.length === 0) continue
        const saw = watch?.look({ stage: name, batch, ...arrived })
        const pieces =
          stage.waiting === undefined
            ? stepAll(stage, batch, arrived)
            : yield* waitAll(stage, stage.waiting, batch, arrived)
        passOn(stage, batch, arrived, pieces, onUnrouted, saw)
      }
      takeAll(
        batch,
        order.map((name) => stages.get(name)!).filter(({ take }) => take !== undefined),
        watch
      )
      return outcomeOf(batch, reachedFrom(sources, stages))
    })

/** A source that takes no part has no stage: its records have gone their way. */
const begin = (
  records: ReadonlyArray<SourceRecord>,
  offset: number,
  placeOf: Batch["placeOf"],
  stages: ReadonlyMap<string, RouteStage>
): Batch => {
  const batch: Batch = {
    records,
    offset,
    placeOf,
    arriving: new Map(),
    failures: new Map(),
    owed: new Map(),
    unrouted: new Map(),
    taken: new Map(),
    named: {},
    collected: new Map()
  }
  for (const [row, { failure, payload }] of records.entries()) {
    const entry = stages.get(placeOf(row).source)
    if (entry === undefined) continue
    if (failure !== undefined) {
      fail(batch, entry, row, failure, root)
      continue
    }
    const start = batch.arriving.get(entry.name)?.[0] ?? empty()
    if (start.rows.length === 0) batch.arriving.set(entry.name, [start])
    start.rows.push(row)
    start.payloads.push(payload)
    start.trails.push(root)
  }
  return batch
}

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

interface Onward {
  readonly to: string
  readonly when: RouteStage["edges"][number]["when"]
  readonly stream: Stream
}

const passOn = (
  stage: RouteStage,
  batch: Batch,
  { rows, trails }: Stream,
  pieces: Pieces,
  onUnrouted: "dead_letter" | "drop",
  saw: Saw | undefined
): void => {
  const onward = stage.edges.map(({ to, when }): Onward => ({ to, when, stream: empty() }))
  const role = stage.encode === undefined ? "stage" : "sink"
  const pass = (row: number, payload: unknown, trail: Trail): Reason | "unrouted" | undefined => {
    const wrong = wrongWith(stage, payload)
    if (wrong !== undefined) return fail(batch, stage, row, wrong, trail)
    if (stage.encode !== undefined) return collect(stage, stage.encode, batch, row, payload, trail)
    if (routed(onward, batch, row, payload, trail)) return undefined
    if (onUnrouted === "dead_letter") return fail(batch, stage, row, unrouted(stage), trail)
    for (const branch of stage.reaches) setOf(batch.unrouted, branch).add(row)
    return "unrouted"
  }
  for (const [at, piece] of pieces.entries()) {
    const row = rows[at]!
    const trail = trails[at]!
    let wrong: ReturnType<typeof pass>
    if (piece._tag === "Passed") wrong = pass(row, piece.payload, trail)
    else if (piece._tag === "Many") {
      for (const [part, payload] of piece.payloads.entries()) {
        wrong = pass(row, payload, [...trail, part]) ?? wrong
      }
    } else if (piece._tag === "Failed") fail(batch, stage, row, piece.reason, trail)
    saw?.(at, piece, wrong, role)
  }
  for (const { stream, to } of onward) {
    batch.arriving.set(to, [...(batch.arriving.get(to) ?? []), stream])
  }
}

/** Multicast: the payload goes along every edge whose condition holds; says whether there was one. */
const routed = (
  onward: ReadonlyArray<Onward>,
  batch: Batch,
  row: number,
  payload: unknown,
  trail: Trail
): boolean => {
  const scope = { ...scopeOf(batch.records[row]!), record: payload }
  let taken = false
  for (const [edge, { stream, when }] of onward.entries()) {
    if (when !== undefined && !when(scope)) continue
    taken = true
    stream.rows.push(row)
    stream.payloads.push(payload)
    stream.trails.push(onward.length === 1 ? trail : [...trail, edge])
  }
  return taken
}

const collect = (
  stage: RouteStage,
  encode: NonNullable<RouteStage["encode"]>,
  batch: Batch,
  row: number,
  payload: unknown,
  trail: Trail
): Reason | undefined => {
  const sink = batch.collected.get(stage.name) ?? empty()
  batch.collected.set(stage.name, sink)
  try {
    sink.payloads.push(encode(payload))
    sink.rows.push(row)
    return undefined
  } catch (error) {
    return fail(batch, stage, row, reasonOf(error, "encoding_failed"), trail)
  }
}
