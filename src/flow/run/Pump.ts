/**
 * The heart of a run: takes what readers and lanes tell, asks the journal once for all of it, and only
 * then hands on what is now allowed: writes after their seal, acknowledgements after their checkpoint.
 *
 * @module
 */
import { Clock, Deferred, Effect, Option, Queue } from "effect"
import { deadLettersBranch } from "../../../events/PipelineEvent.ts"
import { own } from "../../../projections/own.ts"
import type { PipelineState } from "../../../projections/PipelineState.ts"
import type { Receipt } from "../../drivers/Sink.ts"
import { LetterSending } from "../letters/LetterSending.ts"
import type { StageError } from "../StageError.ts"
import { Acknowledging } from "./Acknowledging.ts"
import type { JournalError } from "./Journal.ts"
import { confirmed, type News, noNews, type RefusedMessage } from "./News.ts"
import type { Message, PumpContext } from "./PumpContext.ts"
import type { Prepared } from "./Reader.ts"
import { endOf, type PumpEnd, type SourceEnd } from "./RunEnd.ts"
import { Settling } from "./Settling.ts"
import { trippingOffset } from "./threshold.ts"
import { begin, refuse, sealOf, sinkBatch, type Writing } from "./Writing.ts"

/** A source with free slots may tell another batch so soon that one append can seal both: this long it is awaited. */
const togetherMs = 3
/** After this long without news a source counts as waiting, and what is answered is made durable, C12. */
const quietMs = 20
/** Messages taken at once, and with them the most batches one append can seal. */
const messagesAtOnce = 256
/** Batches that may be answered and not yet confirmed; beyond it a flush is due whatever the interval says. */
const unconfirmedMost = 1024

export const makePump = (context: PumpContext): Effect.Effect<PumpEnd, StageError | JournalError> =>
  Effect.gen(function* () {
    const pump = new Pump(context)
    yield* pump.startClock
    while (true) {
      const messages = yield* pump.gather(yield* pump.take)
      const end = yield* pump.turn(messages)
      if (end !== undefined) return end
    }
  })

class Pump {
  readonly context: PumpContext
  state: PipelineState
  nextBatch: number
  readonly writing = new Map<number, Writing>()
  readonly ended = new Map<string, SourceEnd>()
  /** What to cut an output back to, until the first seal that names it is logged. C13 */
  readonly bases = new Map<string, Receipt>()
  readonly acknowledging: Acknowledging
  /** Only with a dead-letter sink. */
  readonly letters: LetterSending | undefined
  /** A source whose records a sink refused too often. */
  tripped: string | undefined
  readonly settling = new Settling()
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
    const { journal, lanes, plan, readers } = context
    this.acknowledging = new Acknowledging(readers)
    this.letters =
      plan.letterSink &&
      new LetterSending(plan.letterSink, lanes.get(deadLettersBranch)!, journal, this.bases)
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

  /** One append for several batches costs as much as one for one: those that are about to come are waited for. */
  gather(first: ReadonlyArray<Message>): Effect.Effect<ReadonlyArray<Message>> {
    if (!first.some(({ _tag }) => _tag === "Prepared")) return Effect.succeed(first)
    return Effect.gen({ self: this }, function* () {
      // Answers free slots, so they are not kept waiting with the rest.
      let all = yield* this.freeSlots(first)
      while (this.mayTellMore(all)) {
        const next = Queue.takeBetween(this.context.inbox, 1, messagesAtOnce)
        const more = yield* Effect.timeoutOption(next, togetherMs)
        if (Option.isNone(more)) break
        all = [...all, ...(yield* this.freeSlots(more.value))]
      }
      return all
    })
  }

  /** Takes the answers out of the messages: what is written has left, whatever else is going on. */
  freeSlots(messages: ReadonlyArray<Message>): Effect.Effect<ReadonlyArray<Message>> {
    return Effect.filter(messages, (message) =>
      message._tag === "Answered" ? Effect.as(this.answered(message), false) : Effect.succeed(true)
    )
  }

  /** Some source has a free slot, and has not come to its end. */
  mayTellMore(messages: ReadonlyArray<Message>): boolean {
    const told = (stage: string) =>
      messages.filter((message) => message._tag === "Prepared" && message.of.stage === stage).length
    const over = (stage: string) =>
      this.ended.has(stage) || messages.some((message) => message._tag === "Ended" && message.stage === stage)
    const writing = [...this.writing.values()]
    return this.context.plan.sources.some(({ stage }) => {
      const taken = told(stage) + writing.filter(({ prepared }) => prepared.of.stage === stage).length
      return !over(stage) && taken < this.context.plan.runtime.inFlight
    })
  }

  turn(messages: ReadonlyArray<Message>): Effect.Effect<PumpEnd | undefined, StageError | JournalError> {
    return Effect.gen({ self: this }, function* () {
      const news = noNews()
      for (const message of messages) yield* this.sort(message, news)
      yield* this.record(news)
      if (this.letters !== undefined) this.state = yield* this.letters.send(this.state)
      this.settling.ask(messages, this.nextBatch)
      yield* this.settling.tell(this.state)
      yield* this.flushWhenDue(messages.length === 0 || this.settling.isUrgent)
      return yield* this.atRest
    })
  }

  sort(message: Message, news: News): Effect.Effect<void> {
    switch (message._tag) {
      case "Prepared":
        news.prepared.push(message)
        break
      case "Redriven":
        news.redrives.push(message)
        break
      case "Ended":
        this.ended.set(message.stage, message.end)
        break
      case "Answered":
        return this.answered(message)
      case "Refused":
        if (message.redrive === undefined) news.refusals.push(message)
        else news.redriveRefusals.push({ ...message, redrive: message.redrive })
        break
      case "Confirmed":
        this.flushing--
        this.unconfirmed -= message.applied.length
        for (const { redrive, ...applied } of message.applied) {
          if (redrive === undefined) news.applied.push(applied)
          else news.redriven.push(confirmed(redrive, applied))
        }
        break
      case "Retrying":
        news.retries.push(message.retry)
        break
    }
    return Effect.void
  }

  /** One append for everything; nothing is handed on before it has returned. */
  record(news: News): Effect.Effect<void, StageError | JournalError> {
    return Effect.gen({ self: this }, function* () {
      const { redriving } = this.context
      const { applied, redriven, retries } = news
      const writings = news.prepared.map((each) => this.begin(each))
      // Each at once: another sink may refuse records of the same batch, and its attempt is the next one.
      const again = yield* Effect.forEach(news.refusals, (refusal) => this.withoutRefused(refusal))
      if (this.tripped !== undefined) yield* Deferred.succeed(this.context.stop, undefined)
      const seals = [
        // Of an owed batch only the letters may be left.
        ...writings.flatMap((writing) =>
          writing.waiting.size === 0 ? [] : [sealOf(writing, [...writing.waiting], this.bases)]
        ),
        ...again.map(({ seal }) => seal)
      ]
      const begun = news.redrives.map((each) => redriving.begin(each))
      const redrives = redriving.seals(begun, news.redriveRefusals, this.bases, this.state.id)
      const redriveSeals = redrives.seals
      const all = [seals, redriveSeals, applied, redriven, retries]
      if ([...all, writings].every(({ length }) => length === 0)) return
      if (all.some(({ length }) => length > 0)) {
        this.state = yield* this.context.journal.append({ applied, seals, redriven, redriveSeals, retries })
      }
      for (const seal of [...seals, ...redriveSeals])
        for (const stage of Object.keys(seal.branches)) this.bases.delete(stage)
      for (const writing of writings) yield* this.handOn(writing)
      for (const { again: lane, batch } of again) yield* Deferred.succeed(lane, batch)
      yield* redriving.handOn(begun, redrives.again, this.state, this.context.lanes)
      yield* this.acknowledging.tell(this.state)
    })
  }

  begin(prepared: Prepared): Writing {
    const writing = begin(prepared, this.nextBatch, this.state.generation, this.letters !== undefined)
    if (prepared.owed === undefined) this.nextBatch++
    this.writing.set(writing.batch, writing)
    return writing
  }

  withoutRefused(message: RefusedMessage) {
    const { again, batch, refused, stage } = message
    if (stage === deadLettersBranch && this.letters !== undefined) {
      return this.letters.withoutRefused(message, this.state)
    }
    const writing = this.writing.get(batch)!
    refuse(writing, stage, refused)
    this.checkRefusals(writing)
    const seal = sealOf(writing, [stage], this.bases)
    return Effect.succeed({ again, seal, batch: sinkBatch(writing, this.state.id, stage) })
  }

  /** Letters that a sink's refusal makes count towards the threshold like any other. */
  checkRefusals(writing: Writing): void {
    const { of, offset } = writing.prepared
    const nacks = own(this.state.run?.sources, of.stage)?.nacks ?? []
    const fresh = writing.outcome.failures.flatMap(({ index }) =>
      // What a stage has made of its memory is no record of the source.
      index < 0 || nacks.includes(offset + index) ? [] : [offset + index]
    )
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
      yield* this.writtenIfAnswered(writing)
    })
  }

  answered({ batch, redrive, stage }: Extract<Message, { readonly _tag: "Answered" }>): Effect.Effect<void> {
    this.unconfirmed++
    if (redrive !== undefined) return Effect.sync(() => this.context.redriving.answered(redrive, stage))
    const writing = this.writing.get(batch)
    if (writing === undefined) return Effect.void
    writing.waiting.delete(stage)
    return this.writtenIfAnswered(writing)
  }

  /** Once every branch has answered, the batch leaves memory and its slot is free. */
  writtenIfAnswered(writing: Writing): Effect.Effect<void> {
    if (writing.waiting.size > 0 || this.letters?.keeps(writing, this.state) === true) return Effect.void
    this.writing.delete(writing.batch)
    return Effect.asVoid(this.context.slots.get(writing.prepared.of.stage)!.release(1))
  }

  flushWhenDue(quiet: boolean): Effect.Effect<void> {
    if (this.unconfirmed === 0 || this.flushing > 0) return Effect.void
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      // Batches whose letters wait for a confirmation are written as far as they can be.
      const { kept } = this.letters ?? { kept: 0 }
      const nothingToSeal =
        quiet || (this.allEnded && this.writing.size === kept && !this.context.redriving.isBusy)
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
    const owed = this.writing.size + this.unconfirmed + this.flushing
    if (!this.allEnded || owed > 0 || this.context.redriving.isBusy) return Effect.succeed(undefined)
    return Effect.gen({ self: this }, function* () {
      for (const { jobs } of this.context.lanes.values()) yield* Queue.offer(jobs, { _tag: "Close" })
      return endOf(this.ended, this.tripped, this.context.plan.deadLetters)
    })
  }
}
