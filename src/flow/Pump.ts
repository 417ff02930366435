/**
 * The heart of a run: takes what readers and lanes tell, asks the journal once for all of it, and only
 * then hands on what is now allowed: writes after their seal, acknowledgements after their checkpoint.
 *
 * @module
 */
import { Clock, Deferred, Effect, Option, Queue, type Semaphore } from "effect"
import type { Position } from "../../events/Checkpoint.ts"
import { own } from "../../projections/own.ts"
import type { PipelineState } from "../../projections/PipelineState.ts"
import type { Receipt } from "../drivers/Sink.ts"
import type { SourceReader } from "../drivers/Source.ts"
import type { Applied, Journal, JournalError, Retry } from "./Journal.ts"
import type { Lane } from "./Lane.ts"
import type { Plan } from "./Plan.ts"
import type { Prepared } from "./Reader.ts"
import { atStage, type StageError } from "./StageError.ts"
import { trippingOffset } from "./threshold.ts"
import type { Message, RunEnd } from "./Worker.ts"
import { begin, refuse, sealOf, sinkBatch, type Writing } from "./Writing.ts"

/** How the pump ended: nothing is left to do but finish, or the run was drained before its end. */
export type PumpEnd = { readonly _tag: "AtEnd" } | { readonly _tag: "Drained"; readonly end: RunEnd }

export interface PumpContext {
  readonly plan: Plan
  readonly journal: Journal
  readonly state: PipelineState
  readonly lanes: ReadonlyMap<string, Lane>
  readonly slots: ReadonlyMap<string, Semaphore.Semaphore>
  readonly readers: ReadonlyMap<string, SourceReader>
  readonly inbox: Queue.Queue<Message>
  readonly stop: Deferred.Deferred<void>
}

/** After this long without news a source counts as waiting, and what is answered is made durable, C12. */
const quietMs = 20
/** Messages taken at once, and with them the most batches one append can seal. */
const messagesAtOnce = 256
/** Batches that may be answered and not yet confirmed; beyond it a flush is due whatever the interval says. */
const unconfirmedMost = 1024

type RefusedMessage = Extract<Message, { readonly _tag: "Refused" }>

export const makePump = (context: PumpContext): Effect.Effect<PumpEnd, StageError | JournalError> =>
  Effect.gen(function* () {
    const pump = new Pump(context)
    yield* pump.startClock
    while (true) {
      const messages = yield* pump.take
      const end = yield* pump.turn(messages)
      if (end !== undefined) return end
    }
  })

class Pump {
  readonly context: PumpContext
  state: PipelineState
  nextBatch: number
  readonly writing = new Map<number, Writing>()
  readonly ended = new Map<string, "source" | "stopped" | "tripped">()
  /** What to cut an output back to, until the first seal that names it is logged. C13 */
  readonly bases = new Map<string, Receipt>()
  readonly acknowledged = new Map<string, number>()
  /** A source whose records a sink refused too often. */
  tripped: string | undefined
  unconfirmed = 0
  flushing = 0
  lastFlush = 0

  constructor(context: PumpContext) {
    this.context = context
    this.state = context.state
    this.nextBatch = context.state.nextBatch
    for (const { stage, writer } of context.lanes.values()) {
      if (writer.base !== null) this.bases.set(stage, writer.base)
    }
  }

  get startClock() {
    return Effect.map(Clock.currentTimeMillis, (now) => {
      this.lastFlush = now
    })
  }

  /** Waits for news; with unconfirmed batches only until a flush is due. */
  get take(): Effect.Effect<ReadonlyArray<Message>> {
    const { inbox, plan } = this.context
    const some = Queue.takeBetween(inbox, 1, messagesAtOnce)
    if (this.unconfirmed === 0 || this.flushing > 0) return some
    return Effect.gen({ self: this }, function* () {
      const elapsed = (yield* Clock.currentTimeMillis) - this.lastFlush
      const wait = Math.max(0, Math.min(plan.runtime.checkpointInterval - elapsed, quietMs))
      return Option.getOrElse(yield* Effect.timeoutOption(some, wait), () => [])
    })
  }

  turn(messages: ReadonlyArray<Message>): Effect.Effect<PumpEnd | undefined, StageError | JournalError> {
    return Effect.gen({ self: this }, function* () {
      const prepared: Array<Prepared> = []
      const refusals: Array<RefusedMessage> = []
      const applied: Array<Applied> = []
      const retries: Array<Retry> = []
      for (const message of messages) {
        switch (message._tag) {
          case "Prepared":
            prepared.push(message)
            break
          case "Ended":
            this.ended.set(message.stage, message.end)
            break
          case "Answered":
            yield* this.answered(message.stage, message.batch)
            break
          case "Refused":
            refusals.push(message)
            break
          case "Confirmed":
            this.flushing--
            this.unconfirmed -= message.applied.length
            applied.push(...message.applied)
            break
          case "Retrying":
            retries.push(message.retry)
            break
        }
      }
      yield* this.record(prepared, refusals, applied, retries)
      yield* this.flushWhenDue(messages.length === 0)
      return yield* this.atRest
    })
  }

  /** One append for everything; nothing is handed on before it has returned. */
  record(
    prepared: ReadonlyArray<Prepared>,
    refusals: ReadonlyArray<RefusedMessage>,
    applied: ReadonlyArray<Applied>,
    retries: ReadonlyArray<Retry>
  ): Effect.Effect<void, StageError | JournalError> {
    return Effect.gen({ self: this }, function* () {
      const writings = prepared.map((each) => this.begin(each))
      const again = refusals.map((refusal) => ({ refusal, of: this.withoutRefused(refusal) }))
      if (this.tripped !== undefined) yield* Deferred.succeed(this.context.stop, undefined)
      const seals = [
        ...writings.map((writing) => sealOf(writing, [...writing.waiting], this.bases)),
        ...again.map(({ of, refusal }) => sealOf(of, [refusal.stage], this.bases))
      ]
      if (seals.length + applied.length + retries.length === 0) return
      this.state = yield* this.context.journal.append({ applied, seals, retries })
      for (const seal of seals) for (const stage of Object.keys(seal.branches)) this.bases.delete(stage)
      for (const writing of writings) yield* this.handOn(writing)
      for (const { of, refusal } of again) {
        yield* Deferred.succeed(refusal.again, sinkBatch(of, this.state.id, refusal.stage))
      }
      yield* this.acknowledge
    })
  }

  begin(prepared: Prepared): Writing {
    const writing = begin(prepared, this.nextBatch, this.state.generation)
    if (prepared.owed === undefined) this.nextBatch++
    this.writing.set(writing.batch, writing)
    return writing
  }

  withoutRefused({ batch, refused, stage }: RefusedMessage): Writing {
    const writing = this.writing.get(batch)!
    refuse(writing, stage, refused)
    this.checkRefusals(writing)
    return writing
  }

  /** Letters that a sink's refusal makes count towards the threshold like any other. */
  checkRefusals(writing: Writing): void {
    const { of, offset } = writing.prepared
    const nacks = own(this.state.run?.sources, of.stage)?.nacks ?? []
    const fresh = writing.outcome.failures
      .map(({ index }) => offset + index)
      .filter((letter) => !nacks.includes(letter))
    if (trippingOffset(this.context.plan.deadLetters, nacks, fresh) !== undefined) this.tripped = of.stage
  }

  /** Sealed, so it may be written. A first attempt with nothing for a branch was settled by its seal. */
  handOn(writing: Writing): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      for (const stage of [...writing.waiting]) {
        const batch = sinkBatch(writing, this.state.id, stage)
        if (batch.records.length === 0 && writing.attempt === 1) writing.waiting.delete(stage)
        else {
          const { readAt } = writing.prepared
          yield* Queue.offer(this.context.lanes.get(stage)!.jobs, { _tag: "Write", batch, readAt })
        }
      }
      if (writing.waiting.size === 0) yield* this.written(writing)
    })
  }

  answered(stage: string, batch: number): Effect.Effect<void> {
    this.unconfirmed++
    const writing = this.writing.get(batch)
    if (writing === undefined) return Effect.void
    writing.waiting.delete(stage)
    return writing.waiting.size === 0 ? this.written(writing) : Effect.void
  }

  /** Every branch has answered: the batch leaves memory and its slot is free. */
  written({ batch, prepared }: Writing): Effect.Effect<void> {
    this.writing.delete(batch)
    return Effect.asVoid(this.context.slots.get(prepared.of.stage)!.release(1))
  }

  /** Invariant 1 and C6: what is acknowledged is the checkpoint that is in the log, nothing later. */
  get acknowledge(): Effect.Effect<void, StageError> {
    return Effect.gen({ self: this }, function* () {
      for (const [stage, { checkpoint }] of Object.entries(this.state.run?.sources ?? {})) {
        const reader = this.context.readers.get(stage)
        if (checkpoint === null || reader === undefined) continue
        if (this.acknowledged.get(stage) === checkpoint.batch) continue
        this.acknowledged.set(stage, checkpoint.batch)
        yield* reader.ack(checkpoint.position as Position).pipe(atStage(stage))
      }
    })
  }

  flushWhenDue(quiet: boolean): Effect.Effect<void> {
    if (this.unconfirmed === 0 || this.flushing > 0) return Effect.void
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      const nothingToSeal = quiet || (this.allEnded && this.writing.size === 0)
      const due = now - this.lastFlush >= this.context.plan.runtime.checkpointInterval
      if (!nothingToSeal && !due && this.unconfirmed < unconfirmedMost) return
      this.lastFlush = now
      for (const { jobs } of this.context.lanes.values()) {
        this.flushing++
        yield* Queue.offer(jobs, { _tag: "Flush" })
      }
    })
  }

  get allEnded(): boolean {
    return this.ended.size === this.context.plan.sources.length
  }

  /** Nothing is being read, written or confirmed: the lanes are closed and the run has come to its end. */
  get atRest(): Effect.Effect<PumpEnd | undefined> {
    if (!this.allEnded || this.writing.size + this.unconfirmed + this.flushing > 0)
      return Effect.succeed(undefined)
    return Effect.gen({ self: this }, function* () {
      for (const { jobs } of this.context.lanes.values()) yield* Queue.offer(jobs, { _tag: "Close" })
      return this.end
    })
  }

  get end(): PumpEnd {
    const ends = [...this.ended.values()]
    const tripped = this.tripped ?? [...this.ended].find(([, end]) => end === "tripped")?.[0]
    if (tripped !== undefined) {
      const { threshold, window } = this.context.plan.deadLetters
      const message = `more than ${threshold} of the last ${window} records of ${tripped} are dead letters`
      return {
        _tag: "Drained",
        end: { _tag: "Tripped", reason: { code: "dead_letter_threshold", message } }
      }
    }
    return ends.includes("stopped") ? { _tag: "Drained", end: { _tag: "Stopped" } } : { _tag: "AtEnd" }
  }
}
