/**
 * One of the sources that are read as one: its unit at hand, and the read that is under way.
 *
 * @module
 */
import { type Cause, Effect, Exit, type Scope } from "effect"
import type { Position } from "../../../events/Checkpoint.ts"
import { DriverError } from "../../drivers/DriverError.ts"
import type { SourceBatch, SourceRecord } from "../../drivers/Record.ts"
import type { ReadLimit, SourceReader } from "../../drivers/Source.ts"
import type { Head } from "./choose.ts"
import type { SourcePlace } from "./MergedPosition.ts"

/** Invariant 7: a side holds one unit at most, and reads the next when the last record of it is taken. */
export class Side implements Head {
  readonly stage: string
  readonly reader: SourceReader
  /** A read that takes longer holds the others up no more, in milliseconds. */
  readonly patienceMs: number
  unit: SourceBatch | undefined
  head: SourceRecord | undefined
  isAwaited = false
  hasEnded = false
  /** When the read under way was asked for, in milliseconds since 1970. */
  askedAt: number | undefined
  /** Why the last read gave nothing. It is told once, and asked again. */
  failure: Cause.Cause<DriverError> | undefined
  /** The last position that was acknowledged, as JSON. */
  acknowledged = ""
  #place: SourcePlace

  constructor(stage: string, reader: SourceReader, patienceMs: number, place: SourcePlace) {
    this.stage = stage
    this.reader = reader
    this.patienceMs = patienceMs
    this.#place = place
  }

  get place(): SourcePlace {
    return this.#place
  }

  /** Nothing at hand, nothing under way, and there may be more. */
  get isIdle(): boolean {
    return (
      this.unit === undefined && this.askedAt === undefined && !this.hasEnded && this.failure === undefined
    )
  }

  /** Reads in the background; `told` is run when the side knows more than before. */
  ask(limit: ReadLimit, now: number, scope: Scope.Scope, told: Effect.Effect<unknown>): Effect.Effect<void> {
    this.askedAt = now
    this.isAwaited = true
    const { unit } = this.#place
    const read = unit === 0 ? this.#next(limit) : this.readUnit(unit)
    const answered = Effect.onExit(read, (exit) => {
      this.askedAt = undefined
      this.isAwaited = false
      if (Exit.isFailure(exit)) this.failure = exit.cause
      return told
    })
    return Effect.asVoid(Effect.forkIn(Effect.exit(answered), scope, { startImmediately: true }))
  }

  /** Reads a unit of which the size is known: it was read before, by this process or another. */
  readUnit(records: number): Effect.Effect<void, DriverError> {
    const limit = { records, bytes: Number.POSITIVE_INFINITY, exactly: true }
    return Effect.flatMap(this.#next(limit), () =>
      this.unit?.records.length === records ? Effect.void : Effect.fail(this.#changed(records))
    )
  }

  /** The records of the unit at hand are those behind the place. */
  take(): SourceRecord {
    const record = this.head!
    const { records, to } = this.unit!
    const { at, offset, taken } = this.#place
    if (taken + 1 < records.length) {
      this.#place = { at, unit: records.length, taken: taken + 1, offset: offset + 1 }
      this.head = records[taken + 1]
    } else {
      this.#place = { at: to, unit: 0, taken: 0, offset: offset + 1 }
      this.head = undefined
      this.unit = undefined
      // Until it is asked for more, and has answered or kept silent, nobody goes on without it.
      this.isAwaited = true
    }
    return record
  }

  /** How long it may still be awaited, in milliseconds. */
  patienceAt(now: number): number {
    return this.askedAt === undefined ? 0 : Math.max(0, this.askedAt + this.patienceMs - now)
  }

  /** Everything before this position is settled; what was told before is not told again. */
  ack(position: Position): Effect.Effect<void, DriverError> {
    const text = JSON.stringify(position)
    if (text === this.acknowledged) return Effect.void
    return Effect.map(named(this.stage, this.reader.ack(position)), () => {
      this.acknowledged = text
    })
  }

  #next(limit: ReadLimit): Effect.Effect<void, DriverError> {
    return Effect.map(named(this.stage, this.reader.next(limit)), (unit) => {
      this.unit = unit ?? undefined
      this.hasEnded = unit === null
      this.head = unit?.records[this.#place.taken]
    })
  }

  #changed(records: number): DriverError {
    return changed(this.stage, `the ${records} records that were begun no longer read the same`)
  }
}

/** Which of the sources it was: to the engine they are one. */
export const named = <A, R>(
  stage: string,
  effect: Effect.Effect<A, DriverError, R>
): Effect.Effect<A, DriverError, R> =>
  Effect.mapError(
    effect,
    ({ driver, operation, reason }) =>
      new DriverError({ driver, operation, reason: { ...reason, message: `${stage}: ${reason.message}` } })
  )

export const changed = (stage: string, message: string): DriverError =>
  new DriverError({
    driver: "merge",
    operation: "read",
    reason: {
      _tag: "Misconfigured",
      code: "source_changed",
      message: `${stage}: ${message}`,
      suggestion: "restore the source as it was, or give the run up with --abandon"
    }
  })
