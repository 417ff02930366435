/**
 * The log on a Postgres server: for several machines and for databases that somebody already keeps safe.
 *
 * One process writes at a time, through a connection of its own for appends, which go out in groups of
 * one statement each; a second connection serves everything else, a third holds the lock. The library
 * `@effect/sql-pg` is loaded when a layer is built.
 *
 * @module
 */
import { Effect, Layer, PubSub, Queue, type Redacted, Schedule, type Scope, Stream } from "effect"
import { type Append, makeAppend, storable } from "./Append.ts"
import { EventLog, LogError } from "./EventLog.ts"
import { groupCommit } from "./groupCommit.ts"
import { metered } from "./metered.ts"
import { claimStatement, saveSnapshotStatement } from "./PostgresAppend.ts"
import { makeCommit } from "./PostgresCommit.ts"
import { failure, type PostgresFailure, toLogError, unusable } from "./PostgresFailure.ts"
import { makeHeads } from "./PostgresHeads.ts"
import { makeLine } from "./PostgresLine.ts"
import { holdLog, sessionName } from "./PostgresOwner.ts"
import { makeReads, toHead } from "./PostgresReads.ts"
import { channelOf, formatOf, isSchemaName, migrate, requireDurable } from "./PostgresSchema.ts"
import { openSession, type SessionOptions } from "./PostgresSession.ts"
import { toText } from "./PostgresText.ts"
import { reportingSlow } from "./slowCommit.ts"

export interface PostgresOptions {
  /** `postgres://user:password@host:5432/database`, with `sslmode` and the like as libpq has them. */
  readonly url: Redacted.Redacted<string>
  /** The schema that holds the tables; `millrace`. Small letters, digits and underscores, at most 48. */
  readonly schema?: string | undefined
  /** How long (milliseconds) a call may take before its connection is given up; 5000. */
  readonly deadlineMs?: number | undefined
}

/** How often (milliseconds) a reader looks for news that no notification has brought. */
export const readerPollMs = 1000

/**
 * The log for the one process that writes. Makes the tables where there are none and brings older ones up
 * to date. What `append` and `claim` answer survives a power failure of the server.
 *
 * Fails with `Locked` at once when another process writes; with `Unusable` when the server would lose
 * confirmed events (`fsync`, `full_page_writes` or `synchronous_commit` are off), holds something else,
 * or refuses the user; with `Unavailable` when it cannot be reached.
 */
export const layerPostgres = (options: PostgresOptions): Layer.Layer<EventLog, LogError> =>
  Layer.effect(EventLog, Effect.mapError(makeWriter(options), toLogError("open")))

/**
 * The log for everybody else: takes no lock and changes nothing. `claim`, `append` and `saveSnapshot` fail
 * with `ReadOnly`; `changes` listens to the writer, on a connection for each stream, and looks for itself
 * once a second. A database without tables reads as an empty log, until a writer makes them.
 */
export const layerPostgresReader = (options: PostgresOptions): Layer.Layer<EventLog, LogError> =>
  Layer.effect(EventLog, Effect.mapError(makeReader(options), toLogError("open")))

const makeWriter = Effect.fnUntraced(function* (
  options: PostgresOptions
): Effect.fn.Return<EventLog["Service"], PostgresFailure, Scope.Scope> {
  const { schema, session } = yield* settle(options)
  const owner = yield* holdLog(session, schema)
  const appends = yield* makeLine(session, (opened) =>
    Effect.andThen(requireDurable(opened), migrate(opened, schema))
  )
  yield* appends.session
  const others = yield* makeLine({ ...session, multiplex: true })
  const changes = yield* Effect.acquireRelease(PubSub.sliding<number>(1), PubSub.shutdown)
  const heads = makeHeads(schema, appends.query)
  const reads = yield* makeReads(schema, others.query)

  const commitGroup = makeCommit({
    schema,
    line: appends,
    heads,
    name: session.name,
    settleMs: session.deadlineMs,
    onCommitted: (position) => {
      owner.notify(position)
      PubSub.publishUnsafe(changes, position)
    }
  })
  const ensured = Effect.mapError(owner.ensure, toLogError("append"))
  const commit = (group: ReadonlyArray<Append>) =>
    Effect.andThen(ensured, reportingSlow(group.length, commitGroup(group)))
  const append = yield* groupCommit({ commit })
  const owned = (operation: string, sql: string, params: ReadonlyArray<unknown>) =>
    Effect.mapError(Effect.andThen(owner.ensure, others.query(sql, params)), toLogError(operation))

  return metered(
    EventLog.of({
      ...reads,
      isWritable: true,
      claim: (stream) =>
        Effect.map(owned("claim", claimStatement(schema), [toText(storable(stream))]), ([row]) => {
          const head = toHead(row!)
          heads.remember(head)
          return head
        }),
      append: (stream, at, events) => append(makeAppend(stream, at, events)),
      changes: Stream.fromPubSub(changes),
      saveSnapshot: ({ fold, foldVersion, state, stream, version }) =>
        Effect.asVoid(
          owned("saveSnapshot", saveSnapshotStatement(schema), [
            toText(storable(stream)),
            toText(fold),
            foldVersion,
            BigInt(version),
            toText(storable(state))
          ])
        )
    })
  )
})

const makeReader = Effect.fnUntraced(function* (
  options: PostgresOptions
): Effect.fn.Return<EventLog["Service"], PostgresFailure, Scope.Scope> {
  const { schema, session } = yield* settle(options)
  const reading = { ...session, settings: { default_transaction_read_only: "on" } }
  const line = yield* makeLine({ ...reading, multiplex: true }, (opened) =>
    Effect.asVoid(formatOf(opened, schema))
  )
  yield* line.session
  const reads = yield* makeReads(schema, line.query)
  const looked = Effect.catch(reads.position, (error) =>
    Effect.as(Effect.logWarning("The log cannot be read now.", error), -1)
  )
  return EventLog.of({
    ...reads,
    isWritable: false,
    claim: () => Effect.fail(readOnly("claim")),
    append: () => Effect.fail(readOnly("append")),
    changes: Stream.fromEffectSchedule(looked, Schedule.spaced(readerPollMs)).pipe(
      Stream.merge(notified(reading, schema)),
      Stream.filter((known) => known >= 0),
      Stream.changes
    ),
    saveSnapshot: () => Effect.fail(readOnly("saveSnapshot"))
  })
})

/** Positions as the writer tells them. When the connection is lost only looking remains, until it is back. */
const notified = (options: SessionOptions, schema: string): Stream.Stream<number> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const session = yield* Effect.acquireRelease(openSession(options), ({ close }) => close)
      const queue = yield* session.listen(channelOf(schema))
      return Stream.fromEffectRepeat(Effect.map(Queue.take(queue), ({ payload }) => Number(payload)))
    })
  ).pipe(
    Stream.scoped,
    Stream.catchCause(() => Stream.empty),
    Stream.repeat(Schedule.spaced(readerPollMs))
  )

/** The options with their defaults. */
export const settle = ({ deadlineMs = 5000, schema = "millrace", url }: PostgresOptions) =>
  isSchemaName(schema)
    ? Effect.succeed({ schema, session: { url, deadlineMs, name: sessionName } satisfies SessionOptions })
    : Effect.fail(
        failure(
          unusable(`"${schema}" is no name for the log's schema. Use at most 48 small letters, digits and _.`)
        )
      )

const readOnly = (operation: string): LogError => new LogError({ operation, reason: { _tag: "ReadOnly" } })
