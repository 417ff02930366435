/**
 * The append-only log: the only thing in Millrace that remembers.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Stream } from "effect"
import type { StoredEvent } from "../../events/StoredEvent.ts"

/**
 * An event ready to be appended. Its id and time were given by whoever decided it, so that a repeated
 * append is recognised; the log adds version, position, epoch and hash.
 */
export interface NewEvent {
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  /** JSON text; stored and hashed exactly as given. */
  readonly payload: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** Who asked: a token's name, `schedule`, `recovery`, the local user. */
  readonly by: string
  readonly causationId: string | null
  readonly correlationId: string | null
}

/** Where a stream stands: its last version (0 when empty), the epoch that owns it, the end of its hash chain. */
export interface Head {
  readonly stream: string
  readonly version: number
  readonly epoch: number
  readonly hash: string
}

/** In place of a stream: all of them together, in global order. No stream of events has this name. */
export const allStreams = "$all"

/** A fold's state at a version of its stream, with the version of the fold that made it. */
export interface Snapshot {
  /** The stream that was folded; of `allStreams`, `version` is a global position. */
  readonly stream: string
  readonly fold: string
  readonly foldVersion: number
  readonly version: number
  /** JSON text. */
  readonly state: string
}

/** Somebody else appended first. Nothing was written. */
export class VersionConflict extends Schema.TaggedError<VersionConflict>()("VersionConflict", {
  stream: Schema.String,
  expected: Schema.Int,
  actual: Schema.Int
}) {}

/** The stream has been claimed with a newer epoch: the caller is no longer its owner and must stop. */
export class Fenced extends Schema.TaggedError<Fenced>()("Fenced", {
  stream: Schema.String,
  epoch: Schema.Int,
  actual: Schema.Int
}) {}

/** The closed set of ways a store lets us down. */
export const LogErrorReason = Schema.TaggedUnion({
  /** The store is away or stalls; the same call may succeed later. */
  Unavailable: { message: Schema.String },
  /** No space left on the device. */
  DiskFull: { message: Schema.String },
  /** Another process owns the store. */
  Locked: { holder: Schema.String },
  /** The store is not a log, or of a newer release, or damaged. */
  Unusable: { message: Schema.String },
  /** This connection only reads. */
  ReadOnly: {}
})

export class LogError extends Schema.TaggedError<LogError>()("LogError", {
  operation: Schema.String,
  reason: LogErrorReason
}) {
  get isRetryable(): boolean {
    return this.reason._tag === "Unavailable"
  }
}

/**
 * Rules every implementation keeps (test/contracts/EventLog.ts proves them):
 *
 * - Invariant 5: an append is atomic and fenced: version *and* epoch are checked in the transaction that inserts.
 * - A failed append has no effect. Repeating an append whose events are already stored, at the same
 *   expected version and epoch, succeeds and changes nothing (that is how an ambiguous append is settled).
 * - `append` returns once the events are as durable as the store makes them, and is uninterruptible.
 */
export class EventLog extends Context.Service<
  EventLog,
  {
    /** This connection may claim, append and save snapshots; one that only reads is refused with `ReadOnly`. */
    readonly isWritable: boolean
    /** Takes ownership of a stream: its epoch grows by one, and every older owner is fenced off. */
    claim(stream: string): Effect.Effect<Head, LogError>
    /** Appends all events or none; answers where the stream stands then. */
    append(
      stream: string,
      at: { readonly expectedVersion: number; readonly epoch: number },
      events: ReadonlyArray<NewEvent>
    ): Effect.Effect<Head, VersionConflict | Fenced | LogError>
    /** The events of one stream after a version, in order. */
    read(
      stream: string,
      options?: { readonly after?: number | undefined; readonly limit?: number | undefined }
    ): Stream.Stream<StoredEvent, LogError>
    /** All streams in global order after a position, without gaps; ends at the present. */
    readAll(options?: {
      readonly after?: number | undefined
      readonly types?: ReadonlyArray<string> | undefined
    }): Stream.Stream<StoredEvent, LogError>
    /** One element (the newest known position) after each commit here; a wake-up, not a promise: followers also poll. */
    readonly changes: Stream.Stream<number>
    /** Where every stream stands, by name. */
    readonly heads: Effect.Effect<ReadonlyArray<Head>, LogError>
    saveSnapshot(snapshot: Snapshot): Effect.Effect<void, LogError>
    /** The newest snapshot of this fold, if its fold version is the one asked for. */
    loadSnapshot(
      stream: string,
      fold: string,
      foldVersion: number
    ): Effect.Effect<Option.Option<Snapshot>, LogError>
  }
>()("millrace/log/EventLog") {}
