/**
 * One sink at work: writes one batch after the other, in batch order, and makes them durable when asked.
 *
 * @module
 */
import { Clock, Deferred, Effect, Queue } from "effect"
import { retrying } from "../../drivers/retryPolicy.ts"
import type { Held, SinkBatch, SinkWriter } from "../../drivers/Sink.ts"
import { atStage, type StageError } from "../StageError.ts"
import type { Applied, Retry } from "./Journal.ts"

/** Which redrive a write is for; one of a batch has none. */
export interface RedriveName {
  readonly letter: string
  readonly n: number
}

/** A sink holds this, and for which redrive it was. */
export type AppliedByLane = Applied & { readonly redrive?: RedriveName }

/** What a lane is asked to do. Its queue is bounded by the slots of the sources: see Reader.ts. */
export type Job =
  | {
      readonly _tag: "Write"
      readonly batch: SinkBatch
      readonly readAt: number
      readonly redrive?: RedriveName
    }
  | { readonly _tag: "Flush" }
  | { readonly _tag: "Close" }

/** What a lane has to tell. */
export type LaneMessage =
  /** The batch is written; its slot is free. It is not durable yet. */
  | {
      readonly _tag: "Answered"
      readonly stage: string
      readonly batch: number
      readonly redrive?: RedriveName | undefined
    }
  /** Some records will never be taken: the lane waits for the batch without them. */
  | {
      readonly _tag: "Refused"
      readonly stage: string
      readonly batch: number
      readonly refused: ReadonlyArray<{ readonly index: number; readonly message: string }>
      readonly again: Deferred.Deferred<SinkBatch>
      readonly redrive?: RedriveName | undefined
    }
  /** These batches are durable. */
  | { readonly _tag: "Confirmed"; readonly stage: string; readonly applied: ReadonlyArray<AppliedByLane> }
  | { readonly _tag: "Retrying"; readonly retry: Retry }

export interface Lane {
  readonly stage: string
  readonly writer: SinkWriter
  readonly jobs: Queue.Queue<Job>
}

/** Runs a lane until it is closed. Invariant 4: one write at a time, in the order they were offered. */
export const runLane = Effect.fnUntraced(function* (
  lane: Lane,
  tell: (message: LaneMessage) => Effect.Effect<unknown>,
  /** Holds the lane's stage while its sink is asked for something. */
  asked: Set<string> = new Set()
): Effect.fn.Return<void, StageError> {
  const { stage, writer } = lane
  let answered: Array<{
    readonly of: SinkBatch
    readonly held: Held
    readonly readAt: number
    readonly redrive: RedriveName | undefined
  }> = []

  const policy = (batch: number | null) =>
    retrying((attempt, reason, delayMs) =>
      tell({ _tag: "Retrying", retry: { stage, batch, attempt, reason, delayMs } })
    )

  const write = Effect.fnUntraced(function* ({ batch, redrive }: Extract<Job, { readonly _tag: "Write" }>) {
    let of = batch
    while (true) {
      const answer = yield* writer.write(of).pipe(policy(of.batch))
      if (answer._tag === "Held") return { of, held: answer.held }
      const again = yield* Deferred.make<SinkBatch>()
      yield* tell({ _tag: "Refused", stage, batch: of.batch, refused: answer.refused, again, redrive })
      of = yield* Deferred.await(again)
    }
  }, atStage(stage))

  const flush = Effect.fnUntraced(function* () {
    const durable = answered
    answered = []
    // Told even when there is nothing to confirm: the pump waits for every lane it has asked.
    const receipt = durable.length === 0 ? null : yield* writer.flush.pipe(policy(null), atStage(stage))
    const now = yield* Clock.currentTimeMillis
    yield* tell({
      _tag: "Confirmed",
      stage,
      applied: durable.map(({ held, of, readAt, redrive }) => ({
        stage,
        batch: of.batch,
        key: of.key,
        attempt: held.attempt,
        records: held.records,
        lagMs: Math.max(0, now - readAt),
        duplicate: held.attempt !== of.attempt,
        receipt,
        ...(redrive === undefined ? {} : { redrive })
      }))
    })
  })

  while (true) {
    const job = yield* Queue.take(lane.jobs)
    if (job._tag === "Close") return
    asked.add(stage)
    if (job._tag === "Flush") {
      yield* flush()
    } else {
      const { batch, readAt, redrive } = job
      answered.push({ ...(yield* write(job)), readAt, redrive })
      yield* tell({ _tag: "Answered", stage, batch: batch.batch, redrive })
    }
    asked.delete(stage)
  }
})
