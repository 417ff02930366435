/**
 * One source at work: reads again what is owed, then goes on, one batch per free slot.
 *
 * @module
 */
import { Clock, Deferred, Effect, type Scope, type Semaphore } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { isSettled, type OpenBatch } from "../../../projections/OpenBatch.ts"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import { DriverError } from "../../drivers/DriverError.ts"
import type { SourceBatch } from "../../drivers/Record.ts"
import { retrying } from "../../drivers/retryPolicy.ts"
import type { SourceReader } from "../../drivers/Source.ts"
import type { FlowMemory, Left, Visited } from "../memory/FlowMemory.ts"
import { emptyOutcome } from "../memory/withMade.ts"
import { type Outcome, withoutLeft } from "../Outcome.ts"
import type { Plan, PlannedSource } from "../Plan.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { Arrival } from "../time/EventClock.ts"
import type { Retry } from "./Journal.ts"
import type { SourceEnd } from "./RunEnd.ts"
import { Telling } from "./Telling.ts"
import { trippingOffset } from "./threshold.ts"

/** A batch that was read and sent through its stages: ready to be sealed. */
export interface Prepared {
  readonly _tag: "Prepared"
  readonly of: PlannedSource
  /** The batch of the log that this is the records of; a new one has none. */
  readonly owed: OpenBatch | undefined
  readonly range: { readonly from: Position | null; readonly to: Position }
  readonly offset: number
  readonly read: SourceBatch
  readonly outcome: Outcome
  /** What its first seal says that it leaves behind; only of a new batch. */
  readonly left: Left | undefined
  /** Milliseconds since 1970 by the engine's Clock. */
  readonly readAt: number
}

export type ReaderMessage =
  | Prepared
  | { readonly _tag: "Ended"; readonly stage: string; readonly end: SourceEnd }
  | { readonly _tag: "Retrying"; readonly retry: Retry }

export interface ReaderContext {
  readonly plan: Plan
  /** As the log has it when the worker starts. */
  readonly state: PipelineState
  /** Invariant 7: a batch is read only into a free slot, and a slot is free again once its batch is written. */
  readonly slots: Semaphore.Semaphore
  readonly stop: Deferred.Deferred<void>
  readonly tell: (message: ReaderMessage) => Effect.Effect<unknown>
  readonly opened: (reader: SourceReader) => void
  /** `undefined` where no batch leaves anything behind for the next. */
  readonly memory: FlowMemory | undefined
}

export const runReader = Effect.fnUntraced(function* (
  of: PlannedSource,
  context: ReaderContext
): Effect.fn.Return<void, StageError, Scope.Scope> {
  const { memory, plan, slots, state, stop, tell } = context
  const inTurn: FlowMemory["inTurn"] = (batch, effect) => memory?.inTurn(batch, effect) ?? effect
  const asking: FlowMemory["asking"] = (source, effect) => memory?.asking(source, effect) ?? effect
  const { maxBatchBytes, maxBuffering, batchSize } = plan.runtime
  const known = own(state.run?.sources, of.stage)
  const batches = state.open.filter((batch) => batch.source === of.stage)
  let position = known?.sealed?.position ?? null
  let offset = known?.sealed?.offset ?? 0
  let nacks = known?.nacks ?? []

  const reader = yield* asking(
    of.stage,
    of.source
      .open(batches[0] === undefined ? position : batches[0].range.from)
      .pipe(retried(of.stage, tell), atStage(of.stage))
  )
  context.opened(reader)
  // C7: the acknowledgement may have died between the log and the source, which may be waiting for it.
  const settled = known?.checkpoint?.position ?? null
  if (settled !== null) yield* reader.ack(settled).pipe(atStage(of.stage))

  for (const batch of batches) {
    yield* slots.take(1)
    const read = batch.count === 0 ? noRecords(batch.range.to) : yield* readAgain(of, reader, batch, tell)
    if (isSettled(batch)) yield* Effect.andThen(inTurn(batch.batch, Effect.void), slots.release(1))
    else {
      const at = { owed: batch, from: batch.range.from, offset: batch.offset, ended: batch.count === 0 }
      const prepared = prepare({ of, read, ...at }, context)
      yield* inTurn(
        batch.batch,
        Effect.flatMap(prepared, ({ prepared }) => tell(prepared))
      )
    }
  }

  // The run is over: a source that is followed would never come to its end by itself.
  const tripped = Effect.andThen(
    tell({ _tag: "Ended", stage: of.stage, end: "tripped" }),
    Effect.asVoid(Deferred.succeed(stop, undefined))
  )
  if (trippingOffset(plan.deadLetters, nacks, []) !== undefined) {
    return yield* tripped
  }
  const records = Math.min(batchSize, of.recordsMost ?? batchSize)
  const limit = { records, bytes: maxBatchBytes, waitMs: maxBuffering }
  while (true) {
    const free = yield* orStopped(slots.take(1), stop)
    if (free === undefined) break
    const next = reader.next(limit).pipe(retried(of.stage, tell), atStage(of.stage))
    const read = yield* orStopped(asking(of.stage, next), stop)
    if (read === undefined) break
    const at = { of, owed: undefined, from: position, offset }
    if (read === null) {
      if (memory !== undefined) yield* inTurn(null, tellEnd({ ...at, position }, context))
      return yield* tell({ _tag: "Ended", stage: of.stage, end: "source" }).pipe(Effect.asVoid)
    }
    const { fresh, trips } = yield* inTurn(null, tellNew({ ...at, read, nacks }, context))
    if (trips !== undefined) {
      return yield* tripped
    }
    position = read.to
    offset += read.records.length
    nacks = [...nacks, ...fresh].filter((nack) => nack >= offset - plan.deadLetters.window)
  }
  yield* tell({ _tag: "Ended", stage: of.stage, end: "stopped" })
})

/** Stopping waits for nothing that has not begun; a batch that was read is still told. */
const orStopped = <A, E>(effect: Effect.Effect<A, E>, stop: Deferred.Deferred<void>) =>
  Effect.gen(function* () {
    if (yield* Deferred.isDone(stop)) return undefined
    return yield* Effect.raceFirst(effect, Effect.as(Deferred.await(stop), undefined))
  })

const retried = (stage: string, tell: ReaderContext["tell"]) =>
  retrying((attempt, reason, delayMs) =>
    tell({ _tag: "Retrying", retry: { stage, batch: null, attempt, reason, delayMs } })
  )

/** A batch and its place; `ended` when its source has come to its end with it. */
interface Place {
  readonly of: PlannedSource
  readonly owed: OpenBatch | undefined
  readonly from: Position | null
  readonly offset: number
  readonly ended?: boolean
}

/** A new batch, up to the record that trips the threshold: what comes behind it leaves nothing behind. */
const tellNew = Effect.fnUntraced(function* (
  { nacks, read, ...at }: Place & { readonly read: SourceBatch; readonly nacks: ReadonlyArray<number> },
  context: ReaderContext
): Effect.fn.Return<
  { readonly fresh: ReadonlyArray<number>; readonly trips: number | undefined },
  StageError
> {
  const whole = yield* prepare({ ...at, read }, context)
  const fresh = whole.prepared.outcome.failures.flatMap(({ index }) =>
    // What a stage has made of its memory is no record of the source.
    index < 0 ? [] : [at.offset + index]
  )
  const trips = trippingOffset(context.plan.deadLetters, nacks, fresh)
  const { keep, prepared } = trips === undefined ? whole : yield* upTo(at, trips, read.to, context)
  yield* keep
  yield* context.tell(prepared)
  return { fresh, trips }
})

/** The end of a source may close windows: a batch without records then says so. */
const tellEnd = Effect.fnUntraced(function* (
  { position, ...at }: Place & { readonly position: Position | null },
  context: ReaderContext
): Effect.fn.Return<void, StageError> {
  const { keep, prepared } = yield* prepare({ ...at, read: noRecords(position), ended: true }, context)
  yield* keep
  if (prepared.outcome.made !== undefined) yield* context.tell(prepared)
})

const noRecords = (to: Position): SourceBatch => ({
  records: [],
  to,
  digest: "",
  bytes: 0,
  raw: () => ({ encoding: "omitted", data: "", size: 0 })
})

interface Ready extends Pick<Visited, "keep"> {
  readonly prepared: Prepared
}

const prepare = Effect.fnUntraced(function* (
  { ended = false, from, of, offset, owed, read }: Place & { readonly read: SourceBatch },
  { memory, tell }: ReaderContext
): Effect.fn.Return<Ready, StageError> {
  const readAt = yield* Clock.currentTimeMillis
  const route = ended
    ? Effect.succeed(emptyOutcome(of.branches))
    : of.route(read.records, offset, read.origin)
  const visited =
    memory === undefined
      ? Effect.map(route, (outcome): Visited => ({ outcome, left: undefined, keep: Effect.void }))
      : memory.visit({
          of,
          owed,
          isEnd: ended,
          ended: ended ? of.stages : (read.ended ?? []),
          route,
          arrivals: arrivalsOf(read)
        })
  const { keep, left, outcome } = yield* Effect.provideService(visited, Telling, (retry) =>
    tell({ _tag: "Retrying", retry })
  )
  const range = { from, to: read.to }
  const whole = (owed?.left ?? []).reduce(
    (of, gone) =>
      withoutLeft(of, gone.stage === undefined ? gone.offset - offset : -1 - gone.offset, gone.branches),
    outcome
  )
  return { keep, prepared: { _tag: "Prepared", of, owed, range, offset, read, outcome: whole, left, readAt } }
})

/** The records of several sources that have a time, as they were read. */
const arrivalsOf = ({ origin, records }: SourceBatch): ReadonlyArray<Arrival> | undefined =>
  origin === undefined
    ? undefined
    : records.flatMap(({ eventTime, failure }, index) =>
        eventTime === undefined || failure !== undefined
          ? []
          : [{ source: origin(index).source, timeMs: eventTime }]
      )

/** A sealed range gives the same records again, or the source has changed and the run must not go on. */
const readAgain = Effect.fnUntraced(function* (
  of: PlannedSource,
  reader: SourceReader,
  batch: OpenBatch,
  tell: ReaderContext["tell"]
): Effect.fn.Return<SourceBatch, StageError> {
  const read = yield* reader
    .next({
      records: batch.count,
      bytes: Number.POSITIVE_INFINITY,
      exactly: true,
      along: batch.range.to
    })
    .pipe(retried(of.stage, tell), atStage(of.stage))
  if (read === null || read.records.length !== batch.count || read.digest !== batch.digest) {
    return yield* Effect.fail(
      new DriverError({
        driver: of.stage,
        operation: "read",
        reason: {
          _tag: "Misconfigured",
          code: "source_changed",
          message: `batch ${batch.batch} (${batch.count} records from offset ${batch.offset}) no longer reads the same`,
          suggestion: "restore the source as it was, or give the run up with --abandon"
        }
      })
    ).pipe(atStage(of.stage))
  }
  return read
})

/**
 * The batch cut behind the record that trips the threshold. It is read anew, because only the source
 * knows the position behind a record; its outcome is the same, up to that record.
 */
const upTo = Effect.fnUntraced(function* (
  at: Place,
  last: number,
  along: Position,
  context: ReaderContext
): Effect.fn.Return<Ready, StageError> {
  const { from, of, offset } = at
  const records = last - offset + 1
  const read = yield* Effect.scoped(
    Effect.flatMap(of.source.open(from), (reader) =>
      reader.next({ records, bytes: Number.POSITIVE_INFINITY, exactly: true, along })
    )
  ).pipe(atStage(of.stage))
  return yield* prepare({ ...at, read: read! }, context)
})
