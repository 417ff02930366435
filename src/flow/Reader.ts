/**
 * One source at work: reads again what is owed, then goes on, one batch per free slot.
 *
 * @module
 */
import { Clock, Deferred, Effect, type Scope, type Semaphore } from "effect"
import type { Position } from "../../events/Checkpoint.ts"
import { isSettled, type OpenBatch } from "../../projections/OpenBatch.ts"
import { own } from "../../projections/own.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import { DriverError } from "../drivers/DriverError.ts"
import type { SourceBatch } from "../drivers/Record.ts"
import { retrying } from "../drivers/retryPolicy.ts"
import type { SourceReader } from "../drivers/Source.ts"
import type { Retry } from "./Journal.ts"
import type { Outcome } from "./Outcome.ts"
import type { Plan, PlannedSource } from "./Plan.ts"
import type { SourceEnd } from "./RunEnd.ts"
import { atStage, type StageError } from "./StageError.ts"
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
}

export const runReader = Effect.fnUntraced(function* (
  of: PlannedSource,
  context: ReaderContext
): Effect.fn.Return<void, StageError, Scope.Scope> {
  const { plan, slots, state, stop, tell } = context
  const { maxBatchBytes, maxBuffering, batchSize } = plan.runtime
  const known = own(state.run?.sources, of.stage)
  const batches = state.open.filter((batch) => batch.source === of.stage)
  let position = known?.sealed?.position ?? null
  let offset = known?.sealed?.offset ?? 0
  let nacks = known?.nacks ?? []

  const reader = yield* of.source
    .open(batches[0] === undefined ? position : batches[0].range.from)
    .pipe(retried(of.stage, tell), atStage(of.stage))
  context.opened(reader)
  // C7: the acknowledgement may have died between the log and the source, which may be waiting for it.
  if (known?.checkpoint) yield* reader.ack(known.checkpoint.position).pipe(atStage(of.stage))

  for (const batch of batches) {
    yield* slots.take(1)
    const prepared = yield* readAgain(of, reader, batch, tell)
    if (isSettled(batch)) yield* slots.release(1)
    else yield* tell(prepared)
  }

  if (trippingOffset(plan.deadLetters, nacks, []) !== undefined) {
    return yield* tell({ _tag: "Ended", stage: of.stage, end: "tripped" }).pipe(Effect.asVoid)
  }
  const limit = { records: batchSize, bytes: maxBatchBytes, waitMs: maxBuffering }
  while (true) {
    const free = yield* orStopped(slots.take(1), stop)
    if (free === undefined) break
    const read = yield* orStopped(reader.next(limit).pipe(retried(of.stage, tell), atStage(of.stage)), stop)
    if (read === undefined) break
    if (read === null)
      return yield* tell({ _tag: "Ended", stage: of.stage, end: "source" }).pipe(Effect.asVoid)
    const prepared = yield* prepare(of, undefined, position, offset, read, tell)
    const fresh = prepared.outcome.failures.map(({ index }) => offset + index)
    const trips = trippingOffset(plan.deadLetters, nacks, fresh)
    if (trips !== undefined) {
      yield* tell(yield* upTo(of, position, offset, trips, tell))
      return yield* tell({ _tag: "Ended", stage: of.stage, end: "tripped" }).pipe(Effect.asVoid)
    }
    yield* tell(prepared)
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

const prepare = Effect.fnUntraced(function* (
  of: PlannedSource,
  batch: OpenBatch | undefined,
  from: Position | null,
  offset: number,
  read: SourceBatch,
  tell: ReaderContext["tell"]
): Effect.fn.Return<Prepared, StageError> {
  const readAt = yield* Clock.currentTimeMillis
  const outcome = yield* of
    .route(read.records, offset)
    .pipe(Effect.provideService(Telling, (retry) => tell({ _tag: "Retrying", retry })))
  return { _tag: "Prepared", of, owed: batch, range: { from, to: read.to }, offset, read, outcome, readAt }
})

/** A sealed range gives the same records again, or the source has changed and the run must not go on. */
const readAgain = Effect.fnUntraced(function* (
  of: PlannedSource,
  reader: SourceReader,
  batch: OpenBatch,
  tell: ReaderContext["tell"]
): Effect.fn.Return<Prepared, StageError> {
  const read = yield* reader
    .next({ records: batch.count, bytes: Number.POSITIVE_INFINITY, exactly: true })
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
  return yield* prepare(of, batch, batch.range.from, batch.offset, read, tell)
})

/**
 * The batch cut behind the record that trips the threshold. It is read anew, because only the source
 * knows the position behind a record; its outcome is the same, up to that record.
 */
const upTo = Effect.fnUntraced(function* (
  of: PlannedSource,
  from: Position | null,
  offset: number,
  last: number,
  tell: ReaderContext["tell"]
): Effect.fn.Return<Prepared, StageError> {
  const records = last - offset + 1
  const read = yield* Effect.scoped(
    Effect.flatMap(of.source.open(from), (reader) =>
      reader.next({ records, bytes: Number.POSITIVE_INFINITY, exactly: true })
    )
  ).pipe(atStage(of.stage))
  return yield* prepare(of, undefined, from, offset, read!, tell)
})
