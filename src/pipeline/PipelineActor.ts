/**
 * One pipeline, one fiber, one mailbox.
 *
 * The whole life of a command is the body of `handle`: decide, append, evolve; then react.
 *
 * Invariant: state changes only after `append` returns.
 * Invariant: only the loop fiber appends to this stream.
 * Invariant 5: the epoch claimed at the start stands in every append; when it is not the newest any more,
 * somebody else owns the pipeline and this actor ends.
 *
 * @module
 */
import { Cause, Clock, Deferred, Effect, Exit, Result, Schema, type Scope, type Stream } from "effect"
import type { PipelineEvent } from "../../events/PipelineEvent.ts"
import { pipelineStream } from "../../events/PipelineEvent.ts"
import { schemaVersion, UndecodableEvent } from "../../events/upcast.ts"
import * as PipelineState from "../../projections/PipelineState.ts"
import { isActive } from "../../projections/transitions.ts"
import { EventLog, LogError, type NewEvent } from "../log/EventLog.ts"
import * as PipelineMeter from "../metrics/PipelineMeter.ts"
import { type Asker, correlationOf, nameOf } from "./Asker.ts"
import { type AppendError, appendPatiently } from "./appendPatiently.ts"
import type { Command, Rejection } from "./Command.ts"
import { decideInTime } from "./decideInTime.ts"
import { nextId } from "./Identity.ts"
import { keepSnapshots } from "./keepSnapshots.ts"
import { LiveValue } from "./LiveValue.ts"
import { loadState } from "./loadState.ts"
import { annotationsOf } from "./logAnnotations.ts"
import * as Turns from "./Turns.ts"

const mailboxCapacity = 256

/** The actor is gone: fenced off, failed with its log, or closed. Nothing is known to have been appended. */
export class ActorStopped extends Schema.TaggedError<ActorStopped>()("ActorStopped", {
  pipeline: Schema.String,
  message: Schema.String,
  reason: Schema.optionalKey(Schema.Union([LogError, UndecodableEvent, Schema.Defect()]))
}) {}

export type SendError = Rejection | ActorStopped

export interface PipelineActor {
  readonly id: string
  readonly epoch: number
  /** Resolves with the new state once the command is in the log. Fails, never hangs, when the actor is gone. */
  readonly send: (command: Command, by: Asker) => Effect.Effect<PipelineState.PipelineState, SendError>
  readonly state: Effect.Effect<PipelineState.PipelineState>
  readonly changes: Stream.Stream<PipelineState.PipelineState>
  /** Runs the step for the state now and every later one, in order, until the scope closes; costs nothing while idle. */
  readonly follow: <R>(
    step: (state: PipelineState.PipelineState) => Effect.Effect<void, never, R>
  ) => Effect.Effect<void, never, R | Scope.Scope>
  /**
   * The life of the run that the log said was at work when this actor woke. Its process is gone: the stream
   * has been claimed since. `null` when there was none.
   */
  readonly lostLife: number | null
  /** Is told every event of this actor; whoever works for it may show it more. */
  readonly meter: PipelineMeter.PipelineMeter
  /** Never succeeds; fails when the actor is gone. */
  readonly gone: Effect.Effect<never, ActorStopped>
  readonly isGone: Effect.Effect<boolean>
}

interface Envelope {
  readonly command: Command
  readonly by: Asker
  readonly reply: Deferred.Deferred<PipelineState.PipelineState, SendError>
}

/** Claims the pipeline's stream, folds its history, and takes commands until its scope is closed. */
export const make = Effect.fnUntraced(function* (
  id: string
): Effect.fn.Return<PipelineActor, LogError | UndecodableEvent, EventLog | Scope.Scope> {
  const log = yield* EventLog
  const stream = pipelineStream(id)
  // Claim first, fold second: an older owner can append nothing between the two.
  const { epoch } = yield* log.claim(stream)
  const past = yield* loadState(log, stream)
  const state = new LiveValue(past.state)
  const lostLife = isActive(past.state.lifecycle) ? (past.state.run?.lives ?? null) : null
  const gone = yield* Deferred.make<never, ActorStopped>()
  const meter = yield* PipelineMeter.make(past.state)
  const snapshots = yield* keepSnapshots(log, stream, past)
  // A scope closes backwards: the turns have ended. What they left is saved, and it is told.
  yield* Effect.addFinalizer(() =>
    Effect.ensuring(
      snapshots.close,
      Effect.suspend(() => {
        meter.close()
        return Deferred.fail(gone, endOf(id, Exit.void))
      })
    )
  )
  let version = past.version

  const handle = ({ by, command }: Envelope) =>
    Effect.gen(function* () {
      const before = state.current
      const events = yield* Effect.fromResult(decideInTime(command, before, yield* Clock.currentTimeMillis))
      if (events.length === 0) return before
      const stamped = yield* stamp(events, by)
      const head = yield* appendPatiently(log, stream, { expectedVersion: version, epoch }, stamped).pipe(
        Effect.annotateLogs(annotationsOf(id, before))
      )
      version = head.version
      const after = events.reduce((earlier, event, index) => {
        const later = PipelineState.evolve(earlier, event)
        meter.tell(event, earlier, later, stamped[index]!.at)
        return later
      }, before)
      state.set(after)
      return after
    })

  /** A rejection is the caller's; a log that does not take the append ends the actor: its memory may be stale. */
  const turn = (envelope: Envelope) =>
    Effect.gen(function* () {
      const result = yield* Effect.result(handle(envelope))
      if (Result.isSuccess(result)) {
        yield* Deferred.succeed(envelope.reply, result.success)
        return yield* snapshots.tell(result.success, version)
      }
      if (result.failure._tag === "Rejection") return yield* Deferred.fail(envelope.reply, result.failure)
      const stopped = stoppedBy(id, result.failure)
      yield* Deferred.fail(envelope.reply, stopped)
      return yield* stopped
    })

  // Uninterruptible: between append and evolve nobody may come between.
  const mailbox = yield* Turns.make(
    (envelope: Envelope) => Effect.uninterruptible(turn(envelope)),
    (exit) => Deferred.doneUnsafe(gone, Exit.fail(endOf(id, exit)))
  )

  const send = (command: Command, by: Asker) =>
    Effect.gen(function* () {
      const reply = yield* Deferred.make<PipelineState.PipelineState, SendError>()
      const told = Effect.andThen(
        mailbox.offer({ command, by, reply }, mailboxCapacity),
        Deferred.await(reply)
      )
      return yield* Effect.raceFirst(told, Deferred.await(gone))
    })

  return {
    id,
    epoch,
    send,
    // Made when they are asked for: most actors are never watched.
    get state() {
      return Effect.sync(() => state.current)
    },
    get changes() {
      return state.changes
    },
    follow: (step) => state.runForEach(step),
    lostLife,
    meter,
    get gone() {
      return Deferred.await(gone)
    },
    get isGone() {
      return Deferred.isDone(gone)
    }
  }
})

/** Gives the events their ids and their time, here, so that a repeated append is known by them. */
const stamp = Effect.fnUntraced(function* (events: ReadonlyArray<PipelineEvent>, by: Asker) {
  const at = yield* Clock.currentTimeMillis
  const correlationId = correlationOf(by) ?? (yield* nextId)
  const stamped: Array<NewEvent> = []
  for (const event of events) {
    stamped.push({
      eventId: yield* nextId,
      type: event._tag,
      schemaVersion,
      payload: JSON.stringify(event),
      at,
      by: nameOf(by),
      causationId: stamped[0]?.eventId ?? null,
      correlationId
    })
  }
  return stamped
})

/** Why a loop that never ends has ended: its own failure, a defect, or its scope was closed. */
const endOf = (pipeline: string, exit: Exit.Exit<unknown, ActorStopped>): ActorStopped => {
  const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
  for (const reason of reasons) {
    if (Cause.isFailReason(reason)) return reason.error
    if (Cause.isDieReason(reason)) {
      const message = `pipeline ${pipeline} stopped on a defect: ${String(reason.defect)}`
      return new ActorStopped({ pipeline, message, reason: reason.defect })
    }
  }
  return new ActorStopped({ pipeline, message: `pipeline ${pipeline} is closed` })
}

const stoppedBy = (pipeline: string, error: AppendError): ActorStopped => {
  switch (error._tag) {
    case "Fenced":
      return new ActorStopped({
        pipeline,
        message: `pipeline ${pipeline} has a newer owner (epoch ${error.actual}; this one had ${error.epoch})`
      })
    case "VersionConflict":
      return new ActorStopped({
        pipeline,
        message: `pipeline ${pipeline} stands at version ${error.actual} of its log, not at ${error.expected}`
      })
    case "LogError":
      return new ActorStopped({
        pipeline,
        message: `the log does not take events: ${error.reason._tag}`,
        reason: error
      })
  }
}
